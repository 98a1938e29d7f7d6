package io.tombolo.chaos.planted;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.concurrent.atomic.AtomicInteger;

/// Loads the project's classes as they are shipped, but for one call in one class, which is made to [Hooks] instead. So
/// nothing in production code knows of planted bugs, and what is tested is what is shipped.
final class PlantedLoader extends ClassLoader {
    private static final String OURS = "io.tombolo.";
    private static final ClassDesc HOOKS = ClassDesc.of("io.tombolo.chaos.planted.Hooks");

    private final RealBug bug;

    PlantedLoader(RealBug bug, ClassLoader parent) {
        super("planted", parent);
        this.bug = bug;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(OURS)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> known = findLoadedClass(name);
            return known != null ? known : define(name);
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        byte[] bytes;
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            bytes = in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (name.equals(bug.in())) {
            bytes = planted(bytes);
        }
        return defineClass(name, bytes, 0, bytes.length);
    }

    private byte[] planted(byte[] shipped) {
        AtomicInteger calls = new AtomicInteger();
        ClassFile files = ClassFile.of(ClassFile.ClassHierarchyResolverOption
                .of(ClassHierarchyResolver.ofResourceParsing(getParent())));
        ClassModel model = files.parse(shipped);
        byte[] changed = files.transformClass(model, ClassTransform.transformingMethodBodies((code, element) -> {
            if (element instanceof InvokeInstruction call
                    && call.owner().asInternalName().equals(bug.of().replace('.', '/'))
                    && call.name().equalsString(bug.called())) {
                calls.incrementAndGet();
                MethodTypeDesc type = call.typeSymbol();
                code.invokestatic(HOOKS, bug.hook(), call.opcode() == Opcode.INVOKESTATIC
                        ? type
                        : type.insertParameterTypes(0, ConstantDescs.CD_Object));
            } else {
                code.with(element);
            }
        }));
        if (calls.get() == 0) {
            // Otherwise a bug that is not there would be reported as one that is not found.
            throw new IllegalStateException(bug + ": " + bug.in() + " does not call " + bug.called());
        }
        return changed;
    }
}
