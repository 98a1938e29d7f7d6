package io.tombolo.chaos.junit;

import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.run.ChaosPlan;
import io.tombolo.chaos.run.ChaosResult;
import io.tombolo.chaos.run.ChaosRun;
import io.tombolo.chaos.run.PlanText;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/// Runs the scenario of a [ChaosTest].
final class ChaosExtension implements ParameterResolver, InvocationInterceptor {
    private static final Namespace NAMESPACE = Namespace.create(ChaosExtension.class);

    private static final String AGAIN = "again: ";

    /// A run that goes on.
    private record Scenario(ChaosPlan plan, CompletableFuture<ClusterUnderTest> cluster,
            CompletableFuture<ChaosResult> result) {
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return type == ChaosResult.class || type == ClusterUnderTest.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Scenario scenario = scenario(context);
        boolean ok = false;
        try {
            Object value = parameter.getParameter().getType() == ChaosResult.class
                    ? join(scenario.result())
                    : join(scenario.cluster());
            ok = true;
            return value;
        } finally {
            if (!ok) {
                sayAgain(scenario);
            }
        }
    }

    /// Once more, and last: a test may fail for other reasons than the run's verdict, and its message is its own.
    private static void sayAgain(Scenario scenario) {
        System.err.println(AGAIN + scenario.plan().command());
    }

    @Override
    public void interceptTestMethod(Invocation<Void> invocation, ReflectiveInvocationContext<Method> method,
            ExtensionContext context) throws Throwable {
        Scenario scenario = scenario(context);
        Throwable failure = null;
        try {
            invocation.proceed();
        } catch (Throwable t) {
            failure = t;
        }
        try {
            judge(scenario);
        } catch (AssertionError | RuntimeException e) {
            if (failure != null) {
                e.addSuppressed(failure);
            }
            sayAgain(scenario);
            throw e;
        }
        if (failure != null) {
            sayAgain(scenario);
            throw failure;
        }
    }

    private static void judge(Scenario scenario) {
        ChaosResult result = join(scenario.result());
        if (result.verdict() != Verdict.VALID) {
            throw new AssertionError(result.verdict() + ": " + result.verdicts().results().stream()
                    .filter(check -> check.verdict() != Verdict.VALID).toList() + "; results in " + result.folder()
                    + "; " + AGAIN + scenario.plan().command());
        }
    }

    private static <T> T join(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    private static Scenario scenario(ExtensionContext context) {
        return context.getStore(NAMESPACE).getOrComputeIfAbsent("scenario", _ -> start(context), Scenario.class);
    }

    private static Scenario start(ExtensionContext context) {
        Method method = context.getRequiredTestMethod();
        ChaosTest wanted = method.getAnnotation(ChaosTest.class);
        long seed = wanted.seed() >= 0 ? wanted.seed() : PlanText.newSeed();
        ChaosPlan plan = PlanText.plan(wanted.workload(), List.of(wanted.nemesis()), wanted.time(), seed,
                wanted.hosts(), wanted.network(), folder(method), false,
                wanted.unprotected());
        System.err.println(plan.command());
        CompletableFuture<ClusterUnderTest> cluster = new CompletableFuture<>();
        CompletableFuture<ChaosResult> result = CompletableFuture.supplyAsync(
                () -> new ChaosRun(plan, _ -> {
                }, cluster::complete).run(),
                task -> Thread.ofPlatform().name("chaos-run").start(task));
        var _ = result.exceptionally(e -> {
            cluster.completeExceptionally(e);
            return null;
        });
        return new Scenario(plan, cluster, result);
    }

    private static Path folder(Method method) {
        String name = method.getDeclaringClass().getSimpleName() + "-" + method.getName();
        for (int i = 1;; i++) {
            Path folder = Path.of("target", "chaos", name + "-" + i);
            if (!Files.exists(folder)) {
                return folder;
            }
        }
    }
}
