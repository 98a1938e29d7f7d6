package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Context;
import io.tombolo.chaos.generator.Generator;
import io.tombolo.chaos.generator.Generator.Next;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.Journal;
import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.workload.Client;
import io.tombolo.chaos.workload.Completion;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks a generator what to do, has it done by one thread per process, and journals what happens.
///
/// One thread, the caller of [#run], owns the order of the journal: it writes an invocation down before it hands the
/// operation to its thread and a completion after that thread has given it back, and takes in all completions that are
/// there before it asks for another operation. So intervals may only become wider than they were.
///
/// After INFO a thread goes on as a new process, and the old one stays concurrent to the end.
final class Interpreter {
    private static final Logger LOG = LoggerFactory.getLogger(Interpreter.class);
    private static final long POLL_MS = 1;

    private record Done(int thread, Call call, Completion completion) {
    }

    private final int clients;
    private final IntFunction<Client> clientOf;
    private final Client nemesis;
    private final Journal journal;
    private final LongSupplier nowNs;
    private final LinkedBlockingQueue<Done> completions = new LinkedBlockingQueue<>();
    private final Map<Integer, Worker> workers = new HashMap<>();
    private final Map<Integer, Long> processes = new ConcurrentHashMap<>();
    private final ArrayDeque<Integer> free = new ArrayDeque<>();
    private boolean interrupted;

    /// @param clients  number of threads of clients
    /// @param clientOf the client of a thread
    /// @param nemesis  carries out the operations of the thread [Context#NEMESIS]
    /// @param nowNs    the journal's clock
    Interpreter(int clients, IntFunction<Client> clientOf, Client nemesis, Journal journal, LongSupplier nowNs) {
        this.clients = clients;
        this.clientOf = requireNonNull(clientOf, "clientOf is null");
        this.nemesis = requireNonNull(nemesis, "nemesis is null");
        this.journal = requireNonNull(journal, "journal is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
    }

    private final class Worker {
        private final LinkedBlockingQueue<Call> calls = new LinkedBlockingQueue<>();
        private final int number;
        private final Client client;
        private final Thread thread;

        Worker(int number, Client client) {
            this.number = number;
            this.client = client;
            this.thread = Thread.ofPlatform().daemon()
                    .name(number == Context.NEMESIS ? "chaos-nemesis" : "chaos-client-" + number).start(this::work);
        }

        private void work() {
            try {
                while (true) {
                    Call call = calls.take();
                    completions.add(new Done(number, call, complete(call)));
                }
            } catch (InterruptedException _) {
                // The run is over.
                Thread.currentThread().interrupt();
            }
        }

        private Completion complete(Call call) {
            try {
                return client.invoke(processes.get(number), call);
            } catch (RuntimeException e) {
                LOG.warn("{} {}: {}", Thread.currentThread().getName(), call, e.toString(), e);
                return Completion.info(call.value(), e.toString());
            }
        }
    }

    /// Lets the generator run to its end, and waits for everything that it began.
    void run(Generator generator) {
        List<Integer> all = new ArrayList<>();
        all.add(Context.NEMESIS);
        for (int i = 0; i < clients; i++) {
            all.add(i);
        }
        for (int thread : all) {
            processes.put(thread, thread == Context.NEMESIS ? HistoryEvent.NEMESIS : (long) thread);
        }
        for (int thread : all) {
            workers.put(thread, new Worker(thread, thread == Context.NEMESIS ? nemesis : clientOf.apply(thread)));
        }
        free.addAll(all);
        try {
            loop(generator, all);
        } finally {
            workers.values().forEach(worker -> worker.thread.interrupt());
        }
    }

    private void loop(Generator generator, List<Integer> all) {
        Generator now = generator;
        boolean ended = false;
        while (true) {
            Done done = completions.poll();
            if (done != null) {
                now = completed(now, done, all);
                continue;
            }
            if (interrupted) {
                return;
            }
            if (ended && free.size() == all.size()) {
                return;
            }
            Next next = ended ? new Next.Wait(now) : now.next(context(all));
            switch (next) {
                case Next.Emit e -> now = dispatch(e, all);
                case Next.Wait w -> {
                    now = w.then();
                    Done later = await();
                    if (later != null) {
                        now = completed(now, later, all);
                    }
                }
                case Next.Done _ -> ended = true;
            }
        }
    }

    private Context context(List<Integer> all) {
        return new Context(nowNs.getAsLong(), List.copyOf(free), all);
    }

    private Generator dispatch(Next.Emit emit, List<Integer> all) {
        if (!free.remove(emit.thread())) {
            throw new IllegalStateException("thread " + emit.thread() + " is busy");
        }
        boolean fault = emit.thread() == Context.NEMESIS;
        HistoryEvent event = journal.record(fault ? OpType.INFO : OpType.INVOKE, processes.get(emit.thread()),
                emit.call().f(), emit.call().value(), null);
        workers.get(emit.thread()).calls.add(emit.call());
        return emit.then().update(context(all), emit.thread(), event);
    }

    private Generator completed(Generator now, Done done, List<Integer> all) {
        boolean fault = done.thread() == Context.NEMESIS;
        Completion c = done.completion();
        HistoryEvent event = journal.record(fault ? OpType.INFO : c.type(), processes.get(done.thread()),
                done.call().f(), c.value(), c.error());
        if (!fault && c.type() == OpType.INFO) {
            processes.merge(done.thread(), (long) clients, Long::sum);
        }
        free.add(done.thread());
        return now.update(context(all), done.thread(), event);
    }

    private Done await() {
        try {
            return completions.poll(POLL_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException _) {
            interrupted = true;
            Thread.currentThread().interrupt();
            return null;
        }
    }
}
