package io.tombolo.chaos.report;

import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Who the processes of a history are: after an unknown operation a client's thread goes on as the process with the
/// number of its last one plus the number of clients, so that all of a thread's processes can be drawn in one row.
///
/// @param rows process to row
/// @param names of the rows
record Clients(Map<Long, Integer> rows, List<String> names) {
    /// Finds out how many clients there are. Of a history in which processes are numbered in another way every process
    /// is a client.
    static Clients of(List<Operation> operations) {
        TreeMap<Long, Operation> last = new TreeMap<>();
        Map<Long, Operation> first = new HashMap<>();
        for (Operation operation : operations) {
            last.put(operation.process(), operation);
            first.putIfAbsent(operation.process(), operation);
        }
        long clients = 1;
        while (clients < last.size() && !isCount(clients, first, last)) {
            clients++;
        }
        boolean numbered = clients < last.size();
        Map<Long, Integer> rows = new HashMap<>();
        Map<Long, Integer> rowOf = new HashMap<>();
        List<String> names = new ArrayList<>();
        for (long process : last.keySet()) {
            long client = numbered ? process % clients : process;
            rows.put(process, rowOf.computeIfAbsent(client, _ -> {
                names.add("client " + client);
                return names.size() - 1;
            }));
        }
        return new Clients(rows, names);
    }

    private static boolean isCount(long clients, Map<Long, Operation> first, TreeMap<Long, Operation> last) {
        for (long process : last.descendingKeySet()) {
            if (process < clients) {
                return true;
            }
            Operation before = last.get(process - clients);
            if (before == null || before.outcome() != OpType.INFO || before.completion() == null
                    || before.completion().index() > first.get(process).invocation().index()) {
                return false;
            }
        }
        return true;
    }

    int row(long process) {
        return rows.get(process);
    }

    String name(long process) {
        return names.get(row(process));
    }
}
