package io.tombolo.chaos.check.linear;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.SimulatedHistories;
import io.tombolo.chaos.check.SimulatedHistories.Shape;
import io.tombolo.chaos.check.model.RegisterModel;
import io.tombolo.chaos.history.History;
import java.time.Duration;

public final class CheckerSpeed {
    private CheckerSpeed() {
    }

    public static void main(String[] args) {
        for (int concurrency : new int[] {2, 5, 10, 20, 50, 100}) {
            for (int values : new int[] {5, 1_000_000}) {
                Shape shape = new Shape(10_000, 10, concurrency, values, 0.1, true);
                History history = SimulatedHistories.independent(shape, 1);
                for (int i = 0; i < 3; i++) {
                    CheckResult result = new LinearizabilityChecker(() -> new RegisterModel(null, true), true)
                            .check(history, CheckContext.defaults().withTimeLimit(Duration.ofSeconds(20)));
                    System.out.println(concurrency + " " + values + " " + result.verdict() + " "
                            + (Long) result.details().get("elapsedNs") / 1_000_000 + " ms " + result.details().get("configurations")
                            + " unknown " + result.details().get("unknownOperations") + " " + result.details().get("reason") + " " + result.details().get("violations"));
                }
            }
        }
    }
}
