package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Bytes;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.PageStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TierStatus;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.coordinator.wire.WireLimits;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `tombolo pages` and `tombolo tier` against an agent that has statuses and no memory.
final class PagesCommandTest {
    private static final int PAGES = 200_000;

    @TempDir
    Path directory;

    private FakeServices services;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final byte[] status = new byte[PAGES];
    private final byte[] bits = new byte[PAGES];
    private String owner = "h1";

    @BeforeEach
    void fakeCluster() {
        services = new FakeServices(directory.resolve("state"));
        services.coordinator = request -> switch (request) {
            case CoordinatorRequest.VmShow(String vm) when vm.equals("v") -> new Reply.VmReply(new VmStatus(
                    new VmSpec("v", new UUID(1, 2), "simulated", PAGES * 4096L, 1, "dirty", 4096, "uniform", 1), 0,
                    owner.isEmpty() ? "FREE" : "RUNNING", owner, 3, List.of(), ""));
            case CoordinatorRequest.VmShow(String vm) -> new Reply.ErrorReply("VM_UNKNOWN", "there is no such VM",
                    List.of(new Reply.Fact("vm", vm)), "tombolo vm list", 2);
            case CoordinatorRequest _ -> new Reply.Ack();
        };
        services.agents = (_, request) -> switch (request) {
            case AgentRequest.MovePages move -> move(move);
            case AgentRequest.ListPins _ -> new Reply.PinList(List.of(new Reply.PinnedRange(5, 2, 3)));
            case AgentRequest _ -> new Reply.Ack();
        };
    }

    private Reply move(AgentRequest.MovePages move) {
        assertThat(move.count()).isLessThanOrEqualTo(WireLimits.MAX_PAGE_BYTES);
        // An agent may end a call early.
        int done = Math.max(1, move.count() - 7);
        byte[] answer = new byte[done];
        int from = (int) move.firstPage();
        for (int i = 0; i < done; i++) {
            if (move.tier() >= 0 && status[from + i] >= 0) {
                status[from + i] = (byte) move.tier();
            }
            answer[i] = status[from + i];
        }
        byte[] answerBits = java.util.Arrays.copyOfRange(bits, from, from + done);
        return new Reply.PagesMoved(PAGES, 4096, done, 0, Bytes.copyOf(answer), Bytes.copyOf(answerBits));
    }

    private int run(String... words) {
        return Tombolo.run(services, new PrintWriter(out, true), new PrintWriter(err, true), words);
    }

    @Test
    void queryPrintsRunsOfEqualPages() throws IOException {
        java.util.Arrays.fill(bits, 0, 1_024, (byte) 3);
        status[1_024] = PageStatus.LOCAL;
        bits[1_024] = 1;
        status[PAGES - 1] = PageStatus.ENOENT;
        assertThat(run("pages", "query", "v", "all")).isZero();
        assertThat(out.toString()).isEqualTo("""
                0-1023 SHARED accessed dirty
                1024 LOCAL accessed
                1025-199998 SHARED
                199999 ENOENT
                pinned 5-6 3 times
                """);
        assertThat(services.asked).contains("h1").contains(new AgentRequest.MovePages("v", 0, 65_536, -1, 200));
        out.getBuffer().setLength(0);
        assertThat(run("pages", "query", "v", "1023-1024", "7", "--json")).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get("runs")).hasSize(3);
        assertThat(json.get("runs").get(0).get("first").asLong()).isEqualTo(1_023);
        assertThat(json.get("runs").get(1).get("status").asText()).isEqualTo("LOCAL");
        assertThat(json.get("runs").get(2).get("dirty").asBoolean()).isTrue();
        assertThat(json.get("pageBytes").asInt()).isEqualTo(4_096);
        assertThat(json.get("pins").get(0).get("pins").asInt()).isEqualTo(3);
    }

    @Test
    void moveCountsAndEndsWithZeroIfAllMoved() {
        assertThat(run("pages", "move", "v", "0-99", "4096+512", "--to", "local")).isZero();
        assertThat(out.toString()).isEqualTo("612 pages are local\n");
        assertThat(status[99]).isEqualTo((byte) PageStatus.LOCAL);
        assertThat(status[100]).isEqualTo((byte) PageStatus.SHARED);
        assertThat(run("pages", "move", "v", "all", "--to", "shared")).isZero();
        assertThat(status[99]).isEqualTo((byte) PageStatus.SHARED);
        assertThat(services.openConnections).isZero();
    }

    @Test
    void moveEndsWithThreeAndNamesTheErrnosIfAPageDidNot() throws IOException {
        status[3] = PageStatus.EBUSY;
        status[5] = PageStatus.EBUSY;
        status[7] = PageStatus.ENOMEM;
        assertThat(run("pages", "move", "v", "0-9", "--to", "local")).isEqualTo(3);
        assertThat(out.toString()).isEqualTo("7 pages are local\n3 did not move: EBUSY 2, ENOMEM 1\n");
        assertThat(err.toString()).startsWith("PAGES_NOT_MOVED: ").contains("notMoved=3").contains("Next: make room");
        out.getBuffer().setLength(0);
        assertThat(run("pages", "move", "v", "0-9", "--to", "local", "--json")).isEqualTo(3);
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get("notMoved").get("EBUSY").asInt()).isEqualTo(2);
        assertThat(json.get("moved").asInt()).isEqualTo(7);
    }

    @Test
    void pinsAndUnpinsEveryRange() {
        assertThat(run("pages", "pin", "v", "5-6", "100")).isZero();
        assertThat(services.asked).contains(new AgentRequest.PinPages("v", 5, 2, true),
                new AgentRequest.PinPages("v", 100, 1, true));
        assertThat(out.toString()).isEqualTo("pinned 5-6 3 times\n");
        assertThat(run("pages", "unpin", "v", "5-6")).isZero();
        assertThat(services.asked).contains(new AgentRequest.PinPages("v", 5, 2, false));
    }

    // ---- bad input

    @ParameterizedTest
    @CsvSource({"9-3,a last page that is not before the first", "5+0,a count from 1", "'',all", "-,all", "a,all",
            "1-,all", "+3,all", "1-2-3,all", "-1,all", "0x5,all", "9999999999999999,all", "'5 ',all", "ALL,all"})
    void whatIsNoRangeIsRefusedBeforeAnythingIsAsked(String range, String expected) {
        for (String command : List.of("query", "pin", "unpin")) {
            assertThat(run("pages", command, "v", "--", range)).as(command).isEqualTo(2);
        }
        assertThat(err.toString()).startsWith("PAGE_RANGE_INVALID: ").contains("found=" + range)
                .contains(expected).hasLineCount(3);
        assertThat(services.asked).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"200000", "0-200000", "199999+2", "999999999999999+999999999999999"})
    void aRangePastTheEndIsRefusedBeforeAPageMoves(String range) {
        assertThat(run("pages", "move", "v", "0", range, "--to", "local")).isEqualTo(2);
        assertThat(err.toString()).startsWith("PAGE_RANGE_PAST_END: ").contains("pages=200000")
                .contains("the last page is 199999");
        assertThat(services.asked).noneMatch(AgentRequest.class::isInstance);
        assertThat(services.openConnections).isZero();
    }

    @Test
    void anUnknownTierAnUnknownVmAndAVmWithoutOwnerAreRefused() {
        assertThat(run("pages", "move", "v", "0", "--to", "cxl")).isEqualTo(2);
        assertThat(err.toString()).startsWith("OPTION_INVALID: ").contains("option=--to").contains("shared, local");
        err.getBuffer().setLength(0);
        assertThat(run("pages", "query", "w", "0")).isEqualTo(2);
        assertThat(err.toString()).startsWith("VM_UNKNOWN: ");
        err.getBuffer().setLength(0);
        owner = "";
        assertThat(run("pages", "query", "v", "0")).isEqualTo(3);
        assertThat(err.toString()).startsWith("VM_WITHOUT_OWNER: ");
        assertThat(services.asked).noneMatch(AgentRequest.class::isInstance);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pages", "pages query", "pages query v", "pages move v 0", "pages move v --to local",
            "pages pin v", "tier"})
    void aCommandWithoutItsRangesOrItsTierCannotBeUnderstood(String line) {
        assertThat(run(line.split(" "))).isEqualTo(2);
        assertThat(err.toString()).startsWith("USAGE: ");
        assertThat(services.asked).isEmpty();
    }

    @Test
    void anErrorOfTheAgentKeepsItsCodeAndItsStatus() {
        services.agents = (_, _) -> new Reply.ErrorReply("PAGES_ESRCH", "no such VM here", List.of(), "ask again", 3);
        assertThat(run("pages", "query", "v", "0")).isEqualTo(3);
        assertThat(err.toString()).startsWith("PAGES_ESRCH: ");
    }

    // ---- tiers

    @Test
    void listsTheTiersOfEveryHostAlsoWhenOneDoesNotAnswer() throws IOException {
        services.coordinator = _ -> new Reply.HostListReply(
                List.of(new HostStatus("h1", 0, 1, "LIVE", "127.0.0.1", 1, 1, 2, List.of("v")),
                        new HostStatus("h2", 1, 1, "LIVE", "127.0.0.1", 2, 1, 2, List.of()),
                        new HostStatus("h3", 2, 1, "LIVE no agent", "", 0, -1, -1, List.of())));
        services.agents = (host, _) -> host.equals("h1")
                ? new Reply.TierList(List.of(
                        new TierStatus("local", "LOCAL", "/run/x", 512L << 20, 256L << 20,
                                List.of(new TierStatus.TierUse("v", 65_536, 256L << 20))),
                        new TierStatus("shared", "SHARED", "/dev/shm/x", 4L << 30, 4L << 30, List.of())))
                : new Reply.ErrorReply("RPC_UNREACHABLE", "no connection", List.of(), "", 4);
        assertThat(run("tier", "list")).isZero();
        assertThat(out.toString().lines().map(line -> line.replaceAll(" +", " "))).containsExactly(
                "HOST TIER TYPE SIZE FREE USED", "h1 local LOCAL 512 MiB 256 MiB v=256 MiB",
                "h1 shared SHARED 4 GiB 4 GiB -", "h2 - - - - LIVE RPC_UNREACHABLE", "h3 - - - - LIVE no agent");
        out.getBuffer().setLength(0);
        assertThat(run("tier", "list", "--json")).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get(0).get("tiers").get(0).get("uses").get(0).get("pages").asLong()).isEqualTo(65_536);
        assertThat(json.get(2).get("tiers")).isEmpty();
    }
}
