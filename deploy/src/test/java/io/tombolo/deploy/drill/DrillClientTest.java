package io.tombolo.deploy.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.agent.AgentError;
import io.tombolo.agent.handoff.HandoffError;
import io.tombolo.agent.hypervisor.GuestError;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.deploy.drill.DrillClient.Step;
import io.tombolo.region.ErrorCode;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class DrillClientTest {
    private final FakeGuest guest = new FakeGuest(FakeGuest.vm("kv"));
    private final DrillClient client = new DrillClient(3, "drill", List.of("h1", "h2", "h3"),
            new KvClientModel(42, 3), 0);
    private long nowNs;

    @AfterEach
    void closeTheGuest() {
        guest.close();
    }

    @Test
    void operationsHaveGrowingNumbersAndAreAtLeastThePaceApart() {
        for (int i = 1; i <= 50; i++) {
            Step.Send send = send();
            assertThat(send.host()).isEqualTo("h1");
            assertThat(send.call().clientId()).isEqualTo(3);
            assertThat(send.call().seq()).isEqualTo(i);
            client.answered(guest.call(send.call()), nowNs + 100);
            assertThat(client.step(nowNs + DrillClient.PACE_NS - 1, false))
                    .isEqualTo(new Step.Pause(nowNs + DrillClient.PACE_NS));
        }
        assertThat(client.tally().acknowledged()).isEqualTo(50);
        assertThat(client.tally().repeats()).isZero();
        assertThat(client.tally().wrong()).as(client.tally().firstWrong()).isZero();
    }

    @ParameterizedTest
    @MethodSource("codesOfAVmThatIsElsewhere")
    void anOperationThatWasRefusedOrLostIsSentToTheNextHostWithTheSameNumber(ErrorCode code) {
        Step.Send first = send();
        client.failed(error(code));
        Step.Send second = send();
        client.failed(error(code));
        Step.Send third = send();
        client.failed(error(code));

        assertThat(List.of(first.host(), second.host(), third.host(), send().host())).containsExactly("h1", "h2", "h3",
                "h1");
        assertThat(List.of(second.call(), third.call())).containsOnly(first.call());
        assertThat(client.tally().repeats()).isEqualTo(3);
        assertThat(client.tally().acknowledged()).isZero();
    }

    static Stream<ErrorCode> codesOfAVmThatIsElsewhere() {
        return Stream.of(GuestError.NOT_OWNER, HandoffError.VM_NOT_HERE, AgentError.VM_NOT_ON_HOST,
                CoordinatorError.HOST_DEAD, CoordinatorError.RPC_UNREACHABLE, CoordinatorError.RPC_NOT_SENT,
                CoordinatorError.RPC_CONNECTION_LOST, CoordinatorError.RPC_TIMEOUT);
    }

    @Test
    void aBusyGuestIsAskedAgainWhereItIs() {
        Step.Send first = send();
        client.failed(error(GuestError.GUEST_BUSY));
        assertThat(client.step(nowNs + 1, false)).isInstanceOf(Step.Pause.class);

        assertThat(send()).isEqualTo(first);
    }

    @Test
    void anOperationWhoseAnswerWasLostIsExecutedOnceAndTheClientSeesNothingWrong() {
        for (int i = 0; i < 300; i++) {
            Step.Send send = send();
            GuestReply reply = guest.call(send.call());
            if (i % 3 == 0) {
                client.failed(error(CoordinatorError.RPC_TIMEOUT));
                Step.Send again = send();
                assertThat(again.call()).isEqualTo(send.call());
                reply = guest.call(again.call());
            }
            client.answered(reply, nowNs);
        }
        assertThat(client.tally().acknowledged()).isEqualTo(300);
        assertThat(client.tally().repeats()).isEqualTo(100);
        assertThat(client.tally().firstWrong()).isEmpty();
    }

    @Test
    void aRepeatWithANewNumberWouldBeSeen() {
        // The same as above by a client that numbers its repeats anew: the guest executes them again.
        int wrong = 0;
        KvClientModel model = new KvClientModel(42, 3);
        for (int i = 1; i <= 300; i++) {
            ClientOperation operation = model.next().orElseThrow();
            guest.call(new GuestCall("drill", 3, 2L * i, operation.op().name(), operation.args()));
            wrong += model.check(operation, guest.call(
                    new GuestCall("drill", 3, 2L * i + 1, operation.op().name(), operation.args()))).isEmpty() ? 0 : 1;
        }
        assertThat(wrong).isPositive();
    }

    @Test
    void aWrongAnswerAndAnAnswerToSomebodyElseAreCountedAndTheFirstIsTold() {
        Step.Send send = send();
        client.answered(new GuestReply(3, send.call().seq(), GuestStatus.INVALID, List.of(0L)), nowNs);
        send = send();
        GuestReply right = guest.call(send.call());
        client.answered(new GuestReply(4, right.seq(), right.status(), right.values()), nowNs);
        send = send();
        right = guest.call(send.call());
        client.answered(new GuestReply(3, right.seq() - 1, right.status(), right.values()), nowNs);

        assertThat(client.tally().wrong()).isEqualTo(3);
        assertThat(client.tally().firstWrong()).startsWith("client 3 sequence 1: KV_").contains("found INVALID[0]");
    }

    @Test
    void theLongestGapIsTheOneBetweenTwoAnswers() {
        for (long atMs : new long[]{500, 503, 560, 570}) {
            Step.Send send = send();
            nowNs = atMs * 1_000_000;
            client.answered(guest.call(send.call()), nowNs);
        }
        assertThat(client.tally().longestGapNs()).isEqualTo(57_000_000);
    }

    @Test
    void whatWasBegunIsFinishedBeforeTheClientLooksAtTheGuestForTheLastTimeAndEnds() {
        Step.Send begun = send();
        client.failed(error(GuestError.NOT_OWNER));
        nowNs += DrillClient.PACE_NS;
        Step.Send again = (Step.Send) client.step(nowNs, true);
        assertThat(again.call()).isEqualTo(begun.call());
        client.answered(guest.call(again.call()), nowNs);

        for (int i = 0; i < KvClientModel.KEYS; i++) {
            nowNs += DrillClient.PACE_NS;
            Step.Send read = (Step.Send) client.step(nowNs, true);
            assertThat(read.call().op()).isEqualTo("KV_READ");
            client.answered(guest.call(read.call()), nowNs);
        }
        nowNs += DrillClient.PACE_NS;
        assertThat(client.step(nowNs, true)).isEqualTo(new Step.Done());
        assertThat(client.tally().firstWrong()).isEmpty();
    }

    @Test
    void givesUpWhenNobodyAnswersInTime() {
        send();
        long limitNs = nowNs + DrillClient.LIMIT_NS;
        client.failed(error(GuestError.NOT_OWNER));
        assertThat(client.step(limitNs - 1, false)).isInstanceOf(Step.Send.class);

        assertThatThrownBy(() -> client.step(limitNs, false)).isInstanceOf(TomboloException.class)
                .hasMessageStartingWith("CLIENT_GAVE_UP: a client's operation was not answered in time: client=3")
                .hasMessageContaining("last=NOT_OWNER").hasMessageContaining("Next: ");
    }

    @Test
    void givesUpAtOnceOnAnErrorThatSendingAgainDoesNotHelpAgainst() {
        send();

        assertThatThrownBy(() -> client.failed(error(GuestError.GUEST_NO_CALLS)))
                .hasMessageStartingWith("CLIENT_GAVE_UP: a client's operation was refused: client=3 sequence=1")
                .hasMessageContaining("GUEST_NO_CALLS");
    }

    private Step.Send send() {
        nowNs += DrillClient.PACE_NS;
        return (Step.Send) client.step(nowNs, false);
    }

    private static TomboloException error(ErrorCode code) {
        return TomboloException.error(code, "planted").build();
    }
}
