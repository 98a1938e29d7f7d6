package io.tombolo.chaos.sim;

import io.tombolo.chaos.coordination.Code;
import io.tombolo.chaos.coordination.Reply;
import io.tombolo.chaos.coordination.Request;
import io.tombolo.chaos.coordination.WatchEvent;
import io.tombolo.coordinator.zk.Leadership;
import java.util.Comparator;
import java.util.List;

/// After Curator 5.9's `LeaderLatch`: the same requests in the same order, and what it does at each state of the
/// connection. It decides nothing, so what it gets wrong must harm nobody.
final class SimLatch implements Leadership.Latch {
    private static final String PARENT = SimEnsemble.PATHS.leaderLatch();
    private static final String MARK = "latch-";

    private final World world;
    private final SimSession session;
    private final String id;
    private Runnable isLeader;
    private Runnable notLeader;
    private String ourPath;
    private boolean leads;
    private int creations;

    SimLatch(World world, SimSession session, String id) {
        this.world = world;
        this.session = session;
        this.id = id;
    }

    @Override
    public void start(Runnable whenLeader, Runnable whenNot) {
        isLeader = whenLeader;
        notLeader = whenNot;
        session.listen(this::changed);
        session.loop().execute(this::reset);
    }

    @Override
    public boolean hasLeadership() {
        return leads;
    }

    @Override
    public void close() {
        setLeadership(false);
        setNode(null);
    }

    private void changed(SimSession.State state) {
        switch (state) {
            case RECONNECTED -> children();
            case SUSPENDED, LOST -> setLeadership(false);
        }
    }

    private void reset() {
        setLeadership(false);
        setNode(null);
        // A protected creation: the name tells after a lost connection whether the node is there.
        String name = "_c_" + id + "-" + ++creations + "-" + MARK;
        create(name, 0);
    }

    private void create(String name, int attempt) {
        session.background(new Request.Create(PARENT + "/" + name, id, Request.Mode.EPHEMERAL_SEQUENTIAL), reply -> {
            if (reply.code() == Code.OK) {
                created(reply.path());
            } else if (reply.code() == Code.CONNECTIONLOSS && attempt < 3) {
                find(name, attempt);
            }
        });
    }

    private void find(String name, int attempt) {
        session.background(new Request.GetChildren(PARENT, false), reply -> reply.children().stream()
                .filter(child -> child.startsWith(name)).findFirst()
                .ifPresentOrElse(child -> created(PARENT + "/" + child), () -> create(name, attempt + 1)));
    }

    private void created(String path) {
        setNode(path);
        children();
    }

    private void children() {
        session.background(new Request.GetChildren(PARENT, false), reply -> {
            if (reply.code() == Code.OK) {
                check(reply.children());
            } else if (reply.code() == Code.NONODE) {
                reset();
            }
        });
    }

    private void check(List<String> children) {
        List<String> queue = children.stream()
                .sorted(Comparator.comparing(child -> child.substring(child.lastIndexOf(MARK)))).toList();
        String mine = ourPath;
        int index = mine == null ? -1 : queue.indexOf(mine.substring(PARENT.length() + 1));
        if (index < 0) {
            reset();
        } else if (index == 0) {
            session.background(new Request.GetData(mine, false), this::first);
        } else {
            setLeadership(false);
            String before = PARENT + "/" + queue.get(index - 1);
            session.watch(before, this::beforeChanged);
            session.background(new Request.GetData(before, true), reply -> {
                if (reply.code() == Code.NONODE) {
                    children();
                }
            });
        }
    }

    private void first(Reply reply) {
        long owner = reply.stat() == null ? -1 : reply.stat().owner();
        if (owner == session.sessionId()) {
            setLeadership(true);
        } else {
            reset();
        }
    }

    private void beforeChanged(WatchEvent event) {
        if (event.type() == WatchEvent.Type.NODE_DELETED && ourPath != null) {
            children();
        }
    }

    private void setNode(String path) {
        String old = ourPath;
        ourPath = path;
        if (old != null) {
            session.background(new Request.Delete(old, -1), _ -> {
            });
        }
    }

    private void setLeadership(boolean now) {
        if (leads != now) {
            leads = now;
            world.trace(() -> session.process() + (now ? ": the latch is its" : ": the latch is not its any more"));
            (now ? isLeader : notLeader).run();
        }
    }
}
