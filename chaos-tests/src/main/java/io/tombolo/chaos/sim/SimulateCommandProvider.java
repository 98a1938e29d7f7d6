package io.tombolo.chaos.sim;

import io.tombolo.deploy.cli.CommandProvider;

/// Brings `tombolo simulate`.
public final class SimulateCommandProvider implements CommandProvider {
    @Override
    public Object command() {
        return new SimulateCommand();
    }
}
