package io.tombolo.chaos.check.model;

import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;

/// One value: `read` answers it, `write v` replaces it, and, if allowed, `cas [old new]` replaces it if it is old. An
/// OK cas is one that replaced, unless it answered `false`: that one found another value, which is looked at like a
/// read. A FAIL cas says nothing about the value.
public final class RegisterModel implements Model {
    private static final String READ = "read";
    private static final String WRITE = "write";
    private static final String CAS = "cas";

    private final Object initial;
    private final boolean withCas;

    /// @param initial the value before the first write; null is nil
    public RegisterModel(Object initial, boolean withCas) {
        this.initial = initial;
        this.withCas = withCas;
    }

    @Override
    public String name() {
        return withCas ? "cas-register" : "register";
    }

    @Override
    public Object initial() {
        return initial;
    }

    @Override
    public Object step(Object state, Call call) {
        return switch (call.f()) {
            case READ -> !call.known() || Objects.equals(state, call.output()) ? state : ILLEGAL;
            case WRITE -> call.input();
            default ->
                Objects.equals(state, old(call)) == refused(call) ? ILLEGAL : refused(call) ? state : fresh(call);
        };
    }

    @Override
    public boolean readsOnly(Call call) {
        return call.f().equals(READ)
                || (call.f().equals(CAS) && (refused(call) || Objects.equals(old(call), fresh(call))));
    }

    @Override
    public String complaint(Call call) {
        return switch (call.f()) {
            case READ, WRITE -> null;
            case CAS -> !withCas
                    ? "a register has no cas; there is the model cas-register"
                    : call.input() instanceof List<?> pair && pair.size() == 2
                            ? null
                            : "the value of a cas is a list of two, old and new";
            default -> "a " + name() + " has read, write" + (withCas ? " and cas" : "");
        };
    }

    @Override
    public boolean always(Call call) {
        return call.f().equals(WRITE);
    }

    @Override
    public boolean blind(Call call) {
        return call.f().equals(WRITE);
    }

    @Override
    public Collection<?> needs(Call call) {
        return switch (call.f()) {
            case READ -> call.known() ? one(call.output()) : List.of();
            case WRITE -> List.of();
            default -> refused(call) ? List.of() : one(old(call));
        };
    }

    @Override
    public Collection<?> brings(Call call) {
        return switch (call.f()) {
            case READ -> List.of();
            case WRITE -> one(call.input());
            default -> refused(call) ? List.of() : one(fresh(call));
        };
    }

    @Override
    public Collection<?> loses(Object state, Call call, Object next) {
        return Objects.equals(state, next) ? List.of() : one(state);
    }

    private static List<?> one(Object value) {
        return Collections.singletonList(value);
    }

    /// A write that nobody read, and on which no cas built, need not have happened.
    @Override
    public Predicate<Call> relevant(Collection<Call> calls) {
        Set<Object> wanted = new HashSet<>();
        for (Call call : calls) {
            if (call.f().equals(CAS) && refused(call)) {
                // Any value but one is what it wants.
                return _ -> true;
            }
            if (call.f().equals(CAS)) {
                wanted.add(old(call));
            } else if (call.f().equals(READ) && call.known()) {
                wanted.add(call.output());
            }
        }
        return call -> wanted.contains(call.f().equals(CAS) ? fresh(call) : call.input());
    }

    private static boolean refused(Call cas) {
        return Boolean.FALSE.equals(cas.output());
    }

    private static Object old(Call cas) {
        return ((List<?>) cas.input()).getFirst();
    }

    private static Object fresh(Call cas) {
        return ((List<?>) cas.input()).getLast();
    }
}
