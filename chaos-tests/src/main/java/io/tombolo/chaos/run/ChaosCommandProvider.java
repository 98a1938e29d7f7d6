package io.tombolo.chaos.run;

import io.tombolo.deploy.cli.CommandProvider;

/// Brings `tombolo chaos`.
public final class ChaosCommandProvider implements CommandProvider {
    @Override
    public Object command() {
        return new ChaosCommand();
    }
}
