package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.VcpuRegisters.BOOTED;
import static io.tombolo.agent.sim.VcpuRegisters.CHECKS;
import static io.tombolo.agent.sim.VcpuRegisters.INSTRUCTIONS;
import static io.tombolo.agent.sim.VcpuRegisters.PROGRAM_0;

import java.util.ArrayList;
import java.util.List;

/// `bank`: accounts whose total never changes. Every vCPU has a set of internal accounts between which each of its
/// instructions transfers a random amount (and visits one page behind them); vCPU 0 also has [#CLIENT_ACCOUNTS]
/// accounts that only clients touch, so what clients see can be checked against a model of exactly their operations.
/// Every [#AUDIT_EVERY] instructions a vCPU adds up its internal accounts.
///
/// Memory of a vCPU: on vCPU 0 the [ClientTable] and one page of client accounts; then the internal accounts; then
/// the pages of the [PageVisitor]. An account is 64 bytes, on a cache line of its own:
///
///     word 0: balance   1: transfers so far   2: mix over address, balance, transfers   3..7: 0
public final class BankProgram implements GuestProgram {
    /// Accounts that clients see.
    public static final int CLIENT_ACCOUNTS = 16;
    /// What every account starts with.
    public static final long INITIAL_BALANCE = 1000;
    /// Instructions between two audits of the internal accounts.
    public static final long AUDIT_EVERY = 8192;

    static final int ACCOUNTS = PROGRAM_0 + 8;
    static final int COUNT = PROGRAM_0 + 9;
    static final int CLIENT_BASE = PROGRAM_0 + 10;

    static final int ACCOUNT_BYTES = 64;
    private static final long MAX_COUNT = 1024;

    BankProgram() {
    }

    /// What [GuestOp#BANK_TOTAL] answers, always: money is moved, never made.
    public static long total(GuestSpec spec) {
        return (CLIENT_ACCOUNTS + internalAccounts(spec)) * INITIAL_BALANCE;
    }

    private static long internalAccounts(GuestSpec spec) {
        return Math.min(MAX_COUNT, spec.workingPages() * GuestMemory.PAGE_BYTES / 4 / ACCOUNT_BYTES);
    }

    @Override
    public int code() {
        return 3;
    }

    @Override
    public String label() {
        return "bank";
    }

    @Override
    public long minimumPages() {
        return 32;
    }

    @Override
    public long sliceInstructions() {
        return 128;
    }

    @Override
    public void boot(VcpuRegisters regs, GuestMemory memory, GuestSpec spec) {
        long[] r = regs.words();
        int vcpu = (int) r[VcpuRegisters.VCPU];
        long first = spec.firstPage(vcpu);
        long pages = spec.workingPages();
        long gpa = first << GuestMemory.PAGE_SHIFT;
        if (vcpu == 0) {
            long clients = ClientTable.entriesFor(pages);
            ClientTable.boot(r, gpa, clients);
            gpa += clients * ClientTable.ENTRY_BYTES;
            r[CLIENT_BASE] = gpa;
            open(memory, gpa, CLIENT_ACCOUNTS);
            gpa += GuestMemory.PAGE_BYTES;
        }
        r[ACCOUNTS] = gpa;
        r[COUNT] = internalAccounts(spec);
        open(memory, gpa, r[COUNT]);
        long used = ((gpa + r[COUNT] * ACCOUNT_BYTES + GuestMemory.PAGE_BYTES - 1) >>> GuestMemory.PAGE_SHIFT) - first;
        PageVisitor.boot(r, spec, first + used, pages - used);
        r[BOOTED] = 1;
    }

    private static void open(GuestMemory memory, long gpa, long count) {
        for (long i = 0; i < count; i++) {
            long account = gpa + i * ACCOUNT_BYTES;
            memory.setLong(account, INITIAL_BALANCE);
            memory.setLong(account + 16, checkWord(memory, account));
        }
    }

    private static long checkWord(GuestMemory memory, long account) {
        return Mix.mix(account, memory.getLong(account), memory.getLong(account + 8));
    }

    @Override
    public void run(VcpuRegisters regs, GuestMemory memory, long instructions) {
        long[] r = regs.words();
        for (long i = 0; i < instructions; i++) {
            long random = Mix.next(r);
            long from = r[ACCOUNTS] + Mix.below(random, r[COUNT]) * ACCOUNT_BYTES;
            long to = r[ACCOUNTS] + Mix.below(Mix.finish(random), r[COUNT]) * ACCOUNT_BYTES;
            transfer(r, memory, from, to, random & 63);
            if (r[INSTRUCTIONS] % AUDIT_EVERY == AUDIT_EVERY - 1) {
                audit(r, memory);
            }
            PageVisitor.visit(r, memory);
            r[INSTRUCTIONS]++;
        }
    }

    private static ReplyStatus transfer(long[] r, GuestMemory memory, long from, long to, long amount) {
        if (!checkAccount(r, memory, from) || !checkAccount(r, memory, to)) {
            return ReplyStatus.DAMAGED;
        }
        if (memory.getLong(from) < amount) {
            return ReplyStatus.INSUFFICIENT;
        }
        if (from != to) {
            add(memory, from, -amount);
            add(memory, to, amount);
        }
        return ReplyStatus.OK;
    }

    private static void add(GuestMemory memory, long account, long amount) {
        memory.setLong(account, memory.getLong(account) + amount);
        memory.setLong(account + 8, memory.getLong(account + 8) + 1);
        memory.setLong(account + 16, checkWord(memory, account));
    }

    private static boolean checkAccount(long[] r, GuestMemory memory, long account) {
        r[CHECKS]++;
        if (memory.getLong(account + 16) != checkWord(memory, account)) {
            VcpuRegisters.error(r, SelfCheck.BANK_ACCOUNT, account);
            return false;
        }
        return true;
    }

    private static void audit(long[] r, GuestMemory memory) {
        r[CHECKS]++;
        if (sum(memory, r[ACCOUNTS], r[COUNT]) != r[COUNT] * INITIAL_BALANCE) {
            VcpuRegisters.error(r, SelfCheck.BANK_TOTAL, r[ACCOUNTS]);
        }
    }

    private static long sum(GuestMemory memory, long gpa, long count) {
        long sum = 0;
        for (long i = 0; i < count; i++) {
            sum += memory.getLong(gpa + i * ACCOUNT_BYTES);
        }
        return sum;
    }

    @Override
    public GuestReply call(VcpuRegisters regs, GuestMemory memory, GuestRequest request) {
        long[] r = regs.words();
        return switch (GuestOp.of(request.op())) {
            case BANK_TRANSFER -> ClientTable.once(r, memory, request, () -> clientTransfer(r, memory, request));
            case BANK_READ -> read(r, memory, request.a());
            case BANK_READ_ALL -> readAll(r, memory);
            case BANK_TOTAL -> GuestReply.of(ReplyStatus.OK,
                    sum(memory, r[CLIENT_BASE], CLIENT_ACCOUNTS) + sum(memory, r[ACCOUNTS], r[COUNT]));
            case KV_READ, KV_WRITE, KV_CAS, KV_APPEND -> GuestReply.of(ReplyStatus.BAD_REQUEST, 0);
            case null -> GuestReply.of(ReplyStatus.BAD_REQUEST, 0);
        };
    }

    private static boolean isAccount(long account) {
        return account >= 0 && account < CLIENT_ACCOUNTS;
    }

    private static GuestReply clientTransfer(long[] r, GuestMemory memory, GuestRequest request) {
        if (!isAccount(request.a()) || !isAccount(request.b())) {
            return GuestReply.of(ReplyStatus.NOT_FOUND, 0);
        }
        if (request.c() < 0) {
            return GuestReply.of(ReplyStatus.BAD_REQUEST, 0);
        }
        long from = r[CLIENT_BASE] + request.a() * ACCOUNT_BYTES;
        long to = r[CLIENT_BASE] + request.b() * ACCOUNT_BYTES;
        ReplyStatus status = transfer(r, memory, from, to, request.c());
        return GuestReply.of(status, memory.getLong(from));
    }

    private static GuestReply read(long[] r, GuestMemory memory, long account) {
        if (!isAccount(account)) {
            return GuestReply.of(ReplyStatus.NOT_FOUND, 0);
        }
        long gpa = r[CLIENT_BASE] + account * ACCOUNT_BYTES;
        return checkAccount(r, memory, gpa)
                ? GuestReply.of(ReplyStatus.OK, memory.getLong(gpa))
                : GuestReply.of(ReplyStatus.DAMAGED, 0);
    }

    private static GuestReply readAll(long[] r, GuestMemory memory) {
        List<Long> balances = new ArrayList<>(CLIENT_ACCOUNTS);
        boolean sound = true;
        for (int i = 0; i < CLIENT_ACCOUNTS; i++) {
            sound &= checkAccount(r, memory, r[CLIENT_BASE] + (long) i * ACCOUNT_BYTES);
            balances.add(memory.getLong(r[CLIENT_BASE] + (long) i * ACCOUNT_BYTES));
        }
        return new GuestReply(sound ? ReplyStatus.OK : ReplyStatus.DAMAGED,
                sum(memory, r[CLIENT_BASE], CLIENT_ACCOUNTS), balances, false);
    }

    @Override
    public void checkAll(VcpuRegisters regs, GuestMemory memory) {
        long[] r = regs.words();
        for (long i = 0; i < r[COUNT]; i++) {
            checkAccount(r, memory, r[ACCOUNTS] + i * ACCOUNT_BYTES);
        }
        audit(r, memory);
        if (r[CLIENT_BASE] != 0) {
            GuestReply all = readAll(r, memory);
            if (all.value() != CLIENT_ACCOUNTS * INITIAL_BALANCE) {
                VcpuRegisters.error(r, SelfCheck.BANK_TOTAL, r[CLIENT_BASE]);
            }
            ClientTable.checkAll(r, memory);
        }
        PageVisitor.checkAll(r, memory);
    }
}
