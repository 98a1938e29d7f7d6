package io.tombolo.chaos.check.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
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
    /// In a specialised model, every list that no read begins with; otherwise null.
    private final Node other;

    /// Begins empty.
    public AppendModel() {
        this(null);
    }

    private AppendModel(Node other) {
        this.other = other;
    }

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
            case READ -> !call.known() || (node != other && node.holds(list(call.output()))) ? node : ILLEGAL;
            case APPEND -> known(node == other ? other : node.with(call.input()));
            default -> written(call);
        };
    }

    private Node written(Call write) {
        Node written = empty;
        for (Object element : list(write.input())) {
            written = written.with(element);
        }
        return known(written);
    }

    private Node known(Node node) {
        return other == null || node.wasRead ? node : other;
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

    @Override
    public boolean always(Call call) {
        return !call.f().equals(READ);
    }

    @Override
    public boolean blind(Call call) {
        return call.f().equals(WRITE);
    }

    /// Its own elements.
    @Override
    public Collection<?> needs(Call call) {
        return call.f().equals(READ) && call.known() ? list(call.output()) : List.of();
    }

    @Override
    public Collection<?> brings(Call call) {
        return switch (call.f()) {
            case READ -> List.of();
            case APPEND -> Collections.singletonList(call.input());
            default -> list(call.input());
        };
    }

    @Override
    public Collection<?> loses(Object state, Call call, Object next) {
        Node after = (Node) next;
        if (call.f().equals(APPEND) && after != other) {
            return List.of();
        }
        List<Object> lost = new ArrayList<>();
        if (after == other) {
            lost.addAll(brings(call));
        }
        for (Node node = (Node) state; node.length > 0; node = node.before) {
            lost.add(node.last);
        }
        if (after != other) {
            lost.removeAll(brings(call));
        }
        return lost;
    }

    /// One state stands for all lists that no read begins with: until the next write nothing tells them apart.
    @Override
    public Model specialised(Collection<Call> calls) {
        AppendModel model = new AppendModel(new Node(null, null, 0));
        List<?> longest = List.of();
        for (Call call : calls) {
            if (call.f().equals(READ) && call.known()) {
                List<?> elements = list(call.output());
                if (elements.size() > longest.size()) {
                    longest = elements;
                }
            }
        }
        model.mark(longest);
        for (Call call : calls) {
            if (call.f().equals(READ) && call.known()) {
                List<?> elements = list(call.output());
                if (!longest.subList(0, elements.size()).equals(elements)) {
                    model.mark(elements);
                }
            }
        }
        return model;
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
