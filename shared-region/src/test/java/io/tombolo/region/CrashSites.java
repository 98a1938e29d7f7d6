package io.tombolo.region;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LineNumber;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/// The places of the product that call the memory port: as they are met (by the stack), and all that there are (by the
/// class files), so that a test can say that it has taken each one out. A place is `Class.method:line call`, printed as
/// `Class.method call n`, which stays when lines move. What all callers of a helper share is as many places as it has
/// callers.
final class CrashSites {
    /// What is taken out.
    enum Mistake {
        /// What was stored is not made durable. Noticed after a death of the host.
        NO_PERSIST,
        /// A store is not made; a compare-and-set says that it was. Noticed after a death of the process, or at once.
        NO_STORE;

        /// Whether it can be made at such a call of the port.
        boolean concerns(String call) {
            return switch (call) {
                case "persist", "writeBack", "fence" -> this == NO_PERSIST;
                case "store", "storeRelease", "compareAndSet", "copyIn", "copy", "zero" -> this == NO_STORE;
                default -> false;
            };
        }
    }

    /// Helpers, and for which mistakes their callers are the places.
    private static final Map<String, Set<Mistake>> HELPERS = helpers();
    private static final StackWalker WALKER = StackWalker.getInstance();

    private CrashSites() {
    }

    private static Map<String, Set<Mistake>> helpers() {
        Map<String, Set<Mistake>> helpers = new HashMap<>();
        for (String each : List.of("FrameAllocator.makeDurable", "PageTable.persist", "PageTable.writeBack",
                "PreimageLog.writeBack")) {
            helpers.put(each, EnumSet.of(Mistake.NO_PERSIST));
        }
        for (String each : List.of("FrameAllocator.change", "PageTable.compareAndSet", "VmSlot.compareAndSetOwner",
                "HostSlot.compareAndSetWord", "VmGate.change", "VmSlot.armedRelease", "VmSlot.spinRelease",
                "VmSlot.echoRelease", "VmSlot.beatRelease", "VmSlot.fromRelease", "VmSlot.compareAndSetCommit",
                "VmSlot.compareAndSetDoubt", "PreimageLog.write")) {
            helpers.put(each, EnumSet.of(Mistake.NO_STORE));
        }
        return Map.copyOf(helpers);
    }

    private static String simple(String type) {
        return type.replaceAll(".*[./]", "");
    }

    private static boolean isHelper(String method, Mistake mistake) {
        return HELPERS.getOrDefault(method, Set.of()).contains(mistake);
    }

    private static String place(String method, int line, String call) {
        return method + ":" + String.format("%04d", line) + " " + call;
    }

    /// The place from which the port is being called.
    static String here(Mistake mistake, String call) {
        return WALKER.walk(stack -> stack.filter(frame -> !frame.getClassName().startsWith(CrashMemory.class.getName())
                && !frame.getClassName().equals(CrashSites.class.getName())
                && !isHelper(simple(frame.getClassName()) + "." + frame.getMethodName(), mistake)).findFirst()
                .map(frame -> place(simple(frame.getClassName()) + "." + frame.getMethodName(), frame.getLineNumber(),
                        call))
                .orElseThrow());
    }

    /// All places in these classes.
    static Set<String> all(Mistake mistake, Class<?>... types) {
        // By helper, which calls it makes.
        Map<String, Set<String>> made = new HashMap<>();
        for (Class<?> type : List.of(FrameAllocator.class, PageTable.class, VmSlot.class, HostSlot.class,
                VmGate.class)) {
            calls(type, (method, _, owner, name) -> {
                if (isHelper(method, mistake) && owner.equals("Memory") && mistake.concerns(name)) {
                    made.computeIfAbsent(method, _ -> new TreeSet<>()).add(name);
                }
            });
        }
        Set<String> places = new TreeSet<>();
        for (Class<?> type : types) {
            calls(type, (method, line, owner, name) -> {
                if (isHelper(method, mistake)) {
                    return;
                }
                if (owner.equals("Memory") && mistake.concerns(name)) {
                    places.add(place(method, line, name));
                }
                made.getOrDefault(owner + "." + name, Set.of()).forEach(call -> places.add(place(method, line, call)));
            });
        }
        return places;
    }

    private interface Calls {
        void call(String method, int line, String owner, String name);
    }

    private static void calls(Class<?> type, Calls calls) {
        try (InputStream in = type.getResourceAsStream(type.getName().replaceAll(".*\\.", "") + ".class")) {
            for (MethodModel method : ClassFile.of().parse(in.readAllBytes()).methods()) {
                method.code().ifPresent(code -> {
                    int line = 0;
                    for (CodeElement element : code) {
                        if (element instanceof LineNumber number) {
                            line = number.line();
                        } else if (element instanceof InvokeInstruction invoke) {
                            calls.call(simple(type.getName()) + "." + method.methodName().stringValue(), line,
                                    simple(invoke.owner().asInternalName()), invoke.name().stringValue());
                        }
                    }
                });
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Places by name and position among the calls of their method, instead of their line.
    static <T> SortedMap<String, T> named(Map<String, T> places) {
        SortedMap<String, T> named = new TreeMap<>();
        Map<String, Integer> positions = new HashMap<>();
        new TreeMap<>(places).forEach((place, value) -> {
            String name = place.replaceAll(":\\d*", "");
            named.put(name + " " + positions.merge(name, 1, Integer::sum), value);
        });
        return named;
    }
}
