package io.tombolo.agent.sim;

/// Where the replies of executed requests go: to whoever asked, at once or when they may leave the VM.
@FunctionalInterface
interface Replies {
    void complete(RequestQueue.Pending pending, GuestReply reply);
}
