package io.tombolo.chaos.explore;

import org.junit.jupiter.api.Test;

final class TakeoverPlantedTest {
    @Test
    void theProtocolComesThroughWithOneFault() {
        TakeoverModel model = new TakeoverModel(new TakeoverLife(Integer.getInteger("a", 2), Integer.getInteger("b", 1)), Integer.getInteger("f", 1));
        Findings.assertSound(model, 1_000);
        System.out.println("replays " + model.replays());
    }
}
