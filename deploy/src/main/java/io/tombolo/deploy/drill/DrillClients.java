package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.sim.BankProgram;
import io.tombolo.coordinator.Threads;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.deploy.drill.DrillClient.Step;
import io.tombolo.deploy.drill.DrillClient.Tally;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/// The clients of a drill at work: one thread each, which parks between two requests. Used by one thread.
///
/// What ends a client ends the drill: the failure is thrown by the next call of any method but [#close].
public final class DrillClients implements AutoCloseable {
    private static final long LOOK_NS = 500_000;

    private final DrillCluster cluster;
    private final VmSpec vm;
    private final LongSupplier nowNs;
    private final List<ClientModel> models = new ArrayList<>();
    private final List<Worker> workers = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile boolean ending;
    private volatile boolean aborted;

    private DrillClients(DrillCluster cluster, VmSpec vm, LongSupplier nowNs) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.vm = requireNonNull(vm, "vm is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
    }

    /// What the clients saw in all.
    ///
    /// @param clients      how many there were
    /// @param acknowledged operations answered
    /// @param repeats      requests that were sent again
    /// @param wrong        answers that cannot be
    /// @param firstWrong   the first of them in words; `""` when there is none
    /// @param longestGapNs longest time between two answers to one client
    public record Result(int clients, long acknowledged, long repeats, long wrong, String firstWrong,
            long longestGapNs) {
    }

    /// Starts the plan's clients on a guest that runs on the first host. There may be none.
    static DrillClients start(DrillPlan plan, DrillCluster cluster, LongSupplier nowNs) {
        return start(plan.vm(), plan.clients(), cluster, nowNs, DrillClient.LIMIT_NS);
    }

    /// The same for any guest that serves clients.
    ///
    /// @param limitNs how long a client waits for the answer to one operation before it gives up
    static DrillClients start(VmSpec vm, int count, DrillCluster cluster, LongSupplier nowNs, long limitNs) {
        DrillClients clients = new DrillClients(cluster, vm, nowNs);
        for (int id = 1; id <= count; id++) {
            ClientModel model = vm.program().equals("kv")
                    ? new KvClientModel(vm.seed(), id)
                    : new BankClientModel(vm.seed(), id);
            clients.models.add(model);
            clients.workers.add(clients.new Worker(id, model, limitNs));
        }
        clients.workers.forEach(w -> w.thread.start());
        return clients;
    }

    /// One client with its thread.
    private final class Worker {
        private final DrillClient client;
        private final Thread thread;
        private volatile Tally tally;
        private volatile boolean waiting;
        private volatile long answeredNs;
        private volatile long gapNs;

        Worker(long id, ClientModel model, long limitNs) {
            client = new DrillClient(id, vm.name(), cluster.hosts(), model, nowNs.getAsLong(), limitNs);
            tally = client.tally();
            thread = Thread.ofPlatform().daemon().name("drill-client-" + id).unstarted(this::run);
        }

        private void run() {
            try {
                while (!aborted && carryOut(client.step(nowNs.getAsLong(), ending))) {
                    tally = client.tally();
                }
            } catch (Throwable t) {
                // Whatever it is, the drill must hear of it: it waits for this client's answers.
                failure.compareAndSet(null, t);
            }
        }

        private boolean carryOut(Step step) {
            switch (step) {
                case Step.Done _ -> {
                    return false;
                }
                case Step.Pause pause -> LockSupport.parkNanos(DrillClients.this,
                        pause.untilNs() - nowNs.getAsLong());
                case Step.Send send -> {
                    GuestReply reply;
                    waiting = true;
                    try {
                        reply = cluster.call(send.host(), send.call());
                    } catch (TomboloException e) {
                        client.failed(e);
                        return true;
                    }
                    answered(reply);
                }
            }
            return true;
        }

        private void answered(GuestReply reply) {
            long now = nowNs.getAsLong();
            client.answered(reply, now);
            waiting = false;
            gapNs = answeredNs == 0 ? 0 : Math.max(gapNs, now - answeredNs);
            answeredNs = now;
        }
    }

    /// Operations answered so far.
    long acknowledged() {
        check();
        return workers.stream().mapToLong(w -> w.tally.acknowledged()).sum();
    }

    /// How many clients have sent an operation that was not answered yet, by anybody.
    int unanswered() {
        return (int) workers.stream().filter(w -> w.waiting).count();
    }

    /// The time of the first answer that any client got after that time; 0 while there is none. Asked every few
    /// milliseconds it misses none, for a client makes a pause after each.
    long firstAnswerAfter(long sinceNs) {
        check();
        return workers.stream().mapToLong(w -> w.answeredNs).filter(ns -> ns - sinceNs > 0).min().orElse(0);
    }

    /// Longest time between two answers to one client since the last call.
    long takeLongestGapNs() {
        long longest = 0;
        for (Worker worker : workers) {
            longest = Math.max(longest, worker.gapNs);
            worker.gapNs = 0;
        }
        return longest;
    }

    /// Waits until every client has been answered an operation that it began after this call: then whoever has the VM
    /// now serves it.
    ///
    /// @throws TomboloException `CLIENT_GAVE_UP`, which comes in bounded time when nobody answers
    void awaitAnswers() {
        List<Long> before = workers.stream().map(w -> w.tally.acknowledged()).toList();
        for (int i = 0; i < workers.size(); i++) {
            // The next answer may be to an operation that is on its way now.
            while (workers.get(i).tally.acknowledged() < before.get(i) + 2) {
                check();
                LockSupport.parkNanos(this, LOOK_NS);
            }
        }
        check();
    }

    /// Lets every client finish what it has begun and look at the guest a last time, and ends them. The guest must run.
    Result finish() {
        ending = true;
        await(workers);
        if (!models.isEmpty() && models.getFirst() instanceof BankClientModel) {
            List<BankClientModel> banks = models.stream().map(BankClientModel.class::cast).toList();
            long total = BankProgram.total(SimulatedHypervisor.guestSpec(vm));
            Worker audit = new Worker(workers.size() + 1L, new BankAudit(banks, total),
                    DrillClient.LIMIT_NS);
            audit.thread.start();
            workers.add(audit);
            await(List.of(audit));
        }
        Tally sum = workers.stream().map(w -> w.tally).reduce(new Tally(0, 0, 0, "", 0), Tally::plus);
        return new Result(models.size(), sum.acknowledged(), sum.repeats(), sum.wrong(), sum.firstWrong(),
                sum.longestGapNs());
    }

    private void await(List<Worker> some) {
        for (Worker worker : some) {
            while (worker.thread.isAlive()) {
                LockSupport.parkNanos(this, LOOK_NS);
            }
        }
        check();
    }

    private void check() {
        switch (failure.get()) {
            case null -> {
            }
            case RuntimeException e -> throw e;
            case Throwable t -> throw new IllegalStateException("a client of the drill failed", t);
        }
    }

    /// Ends the clients wherever they are; takes as long as one request may.
    @Override
    public void close() {
        aborted = true;
        Threads.awaitEnd(workers.stream().map(worker -> worker.thread).toList());
    }
}
