package io.tombolo.chaos.check.model;

import java.util.Map;
import java.util.TreeMap;

/// Accounts: `transfer {from, to, amount}` moves an amount that is there, `read` answers some or all balances as a map.
///
/// If the balances at the beginning are not given, each account begins with whatever its first reader, in the
/// linearisation, found there; transfers before that are counted and not refused. That is slower, because then a read
/// may change what is known.
public final class BankModel implements Model {
    private static final String READ = "read";
    private static final String TRANSFER = "transfer";
    private static final String FROM = "from";
    private static final String TO = "to";
    private static final String AMOUNT = "amount";

    private final Map<String, Account> initial;
    private final boolean initialKnown;
    private final boolean mayBeNegative;

    /// @param known   whether the balance is counted from zero, or from what the account began with
    /// @param balance in the smallest unit
    private record Account(boolean known, long balance) {
        private static final Account UNTOUCHED = new Account(false, 0);

        Account plus(long amount) {
            return new Account(known, balance + amount);
        }

        @Override
        public String toString() {
            return known ? Long.toString(balance) : "?" + (balance < 0 ? "" : "+") + balance;
        }
    }

    /// @param balances      at the beginning; null if not known
    /// @param mayBeNegative whether a transfer of more than there is may be OK
    public BankModel(Map<String, Long> balances, boolean mayBeNegative) {
        this.initial = new TreeMap<>();
        this.initialKnown = balances != null;
        this.mayBeNegative = mayBeNegative;
        if (balances != null) {
            balances.forEach((account, balance) -> initial.put(account, new Account(true, balance)));
        }
    }

    @Override
    public String name() {
        return "bank";
    }

    @Override
    public Object initial() {
        return initial;
    }

    @Override
    public Object step(Object state, Call call) {
        @SuppressWarnings("unchecked") // Every state comes from here.
        Map<String, Account> accounts = (Map<String, Account>) state;
        return call.f().equals(READ) ? read(accounts, call) : transfer(accounts, (Map<?, ?>) call.input());
    }

    private Object transfer(Map<String, Account> accounts, Map<?, ?> what) {
        String from = name(what.get(FROM));
        String to = name(what.get(TO));
        long amount = (Long) what.get(AMOUNT);
        Account source = accounts.getOrDefault(from, Account.UNTOUCHED);
        Account target = accounts.getOrDefault(to, Account.UNTOUCHED);
        if ((initialKnown && (!source.known() || !target.known()))
                || (!mayBeNegative && source.known() && source.balance() < amount)) {
            return ILLEGAL;
        }
        if (from.equals(to)) {
            return accounts;
        }
        Map<String, Account> after = new TreeMap<>(accounts);
        after.put(from, source.plus(-amount));
        after.put(to, target.plus(amount));
        return after;
    }

    private Object read(Map<String, Account> accounts, Call call) {
        if (!call.known()) {
            return accounts;
        }
        Map<String, Account> after = null;
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) call.output()).entrySet()) {
            String name = name(entry.getKey());
            Account account = accounts.getOrDefault(name, Account.UNTOUCHED);
            long found = (Long) entry.getValue();
            if (account.known() ? account.balance() != found : initialKnown) {
                return ILLEGAL;
            }
            if (!account.known()) {
                after = after == null ? new TreeMap<>(accounts) : after;
                after.put(name, new Account(true, found));
            }
        }
        return after == null ? accounts : after;
    }

    @Override
    public boolean readsOnly(Call call) {
        return call.f().equals(READ) && initialKnown;
    }

    @Override
    public String complaint(Call call) {
        return switch (call.f()) {
            case READ -> !call.known() || areBalances(call.output())
                    ? null
                    : "a read of a bank answers a map from account to balance";
            case TRANSFER -> call.input() instanceof Map<?, ?> what && what.get(FROM) != null
                    && what.get(TO) != null && what.get(AMOUNT) instanceof Long amount && amount >= 0
                            ? null
                            : "the value of a transfer is a map of from, to and an amount from 0";
            default -> "a bank has read and transfer";
        };
    }

    private static boolean areBalances(Object output) {
        return output instanceof Map<?, ?> balances && balances.values().stream().allMatch(Long.class::isInstance);
    }

    @Override
    public long stateBytes() {
        return 64 + 100L * Math.max(4, initial.size());
    }

    private static String name(Object account) {
        return account.toString();
    }
}
