package io.tombolo.chaos.check.model;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/// A list: `append v` adds an element at its end, `read` answers all of it (nil is the empty list), `write [..]`
/// replaces it.
public final class AppendModel implements Model {
    private static final String READ = "read";
    private static final String WRITE = "write";
    private static final String APPEND = "append";

    private final Node empty = new Node(null, null, 0);

    /// One list, as its last element and the list before it. There is one object of each list, so that identity is
    /// equality.
    private static final class Node {
        private final Node before;
        private final Object last;
        private final int length;
        private Map<Object, Node> longer = Map.of();
        private boolean wasRead;

        Node(Node before, Object last, int length) {
            this.before = before;
            this.last = last;
            this.length = length;
        }

        Node with(Object element) {
            Node next = longer.get(element);
            if (next == null) {
                next = new Node(this, element, length + 1);
                if (longer.isEmpty()) {
                    longer = new HashMap<>();
                }
                longer.put(element, next);
            }
            return next;
        }

        boolean holds(List<?> elements) {
            if (elements.size() != length) {
                return false;
            }
            Node node = this;
            for (int i = length - 1; i >= 0; i--) {
                Object element = elements.get(i);
                if (node.last == null ? element != null : !node.last.equals(element)) {
                    return false;
                }
                node = node.before;
            }
            return true;
        }

        @Override
        public String toString() {
            Object[] elements = new Object[length];
            Node node = this;
            for (int i = length - 1; i >= 0; i--) {
                elements[i] = node.last;
                node = node.before;
            }
            return Arrays.toString(elements);
        }
    }

    @Override
    public String name() {
        return "append";
    }

    @Override
    public Object initial() {
        return empty;
    }

    @Override
    public Object step(Object state, Call call) {
        Node node = (Node) state;
        return switch (call.f()) {
            case READ -> !call.known() || node.holds(list(call.output())) ? node : ILLEGAL;
            case APPEND -> node.with(call.input());
            default -> {
                Node written = empty;
                for (Object element : list(call.input())) {
                    written = written.with(element);
                }
                yield written;
            }
        };
    }

    @Override
    public boolean readsOnly(Call call) {
        return call.f().equals(READ);
    }

    @Override
    public String complaint(Call call) {
        return switch (call.f()) {
            case APPEND -> null;
            case READ -> !call.known() || isList(call.output()) ? null : "a read of a list answers a list";
            case WRITE -> isList(call.input()) ? null : "the value of a write to a list is a list";
            default -> "a list has read, append and write";
        };
    }

    /// What was appended and never read need not have been appended.
    @Override
    public Predicate<Call> relevant(Collection<Call> calls) {
        Set<Object> seen = new HashSet<>();
        calls.stream().filter(call -> call.f().equals(READ) && call.known())
                .forEach(call -> seen.addAll(list(call.output())));
        return call -> !call.f().equals(APPEND) || seen.contains(call.input());
    }

    /// What no read begins with: lists only grow, unless they are written.
    @Override
    public Predicate<Object> hopeless(Collection<Call> calls) {
        if (calls.stream().anyMatch(call -> call.f().equals(WRITE))) {
            return _ -> false;
        }
        List<?> longest = List.of();
        for (Call call : calls) {
            if (call.f().equals(READ) && call.known()) {
                List<?> elements = list(call.output());
                if (elements.size() > longest.size()) {
                    longest = elements;
                }
            }
        }
        mark(longest);
        for (Call call : calls) {
            if (call.f().equals(READ) && call.known()) {
                List<?> elements = list(call.output());
                if (!longest.subList(0, elements.size()).equals(elements)) {
                    mark(elements);
                }
            }
        }
        return state -> !((Node) state).wasRead;
    }

    private void mark(List<?> elements) {
        Node node = empty;
        node.wasRead = true;
        for (Object element : elements) {
            node = node.with(element);
            node.wasRead = true;
        }
    }

    @Override
    public long stateBytes() {
        return 160;
    }

    private static boolean isList(Object value) {
        return value == null || value instanceof List<?>;
    }

    private static List<?> list(Object value) {
        return value == null ? List.of() : (List<?>) value;
    }
}
