// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.fusion;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import org.tweedie.device.gpu.launch.Offer;
import org.tweedie.device.storage.Storage;
import org.tweedie.device.storage.Uses;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Value;

/**
 * A program as groups of instructions, in an order in which they may run: each group is one kernel's work. Convolutions, products
 * and pull-backs are done together with what is added to them, and an operation together with its push-forward; everything else
 * is done alone. Instructions are merged only if what passes between them is read nowhere else, or is written as well, and if
 * nothing that the kernel reads depends on what it writes.
 */
public final class Fusion {
    private final Program program;
    private final Uses uses;
    private final Match[] matchOf; // by instruction; null: alone
    private final List<Group> groups;

    private Fusion(Program program, Storage storage, Offer offer) {
        this.program = program;
        this.uses = new Uses(program);
        this.matchOf = new Match[program.body().size()];
        Matching of = new Matching(uses, storage);
        SumPatterns sums = new SumPatterns(of);
        DualPatterns duals = new DualPatterns(of);
        for (int n = matchOf.length - 1; n >= 0; n--) { // a formula before its parts
            sums.at(n).forEach(this::take);
        }
        for (int n = 0; n < matchOf.length; n++) {
            duals.at(n).forEach(this::take);
        }
        this.groups = order().stream().map(n -> n.match == null ? Group.of(n.instr, storage, offer) : n.group(program)).toList();
    }

    /** @param storage types of the values; @param offer tells which instructions, done alone, are a library's */
    public static Fusion of(Program program, Storage storage, Offer offer) {
        return new Fusion(program, storage, offer);
    }

    /** The groups in an order in which they may run; a reshape is a group without a kernel. */
    public List<Group> groups() {
        return groups;
    }

    /** Merges a match's instructions if none is merged already and order allows it. */
    private void take(Match m) {
        if (m.instrs().stream().anyMatch(n -> matchOf[n] != null)) {
            return;
        }
        m.instrs().forEach(n -> matchOf[n] = m);
        if (readsItself(m)) {
            m.instrs().forEach(n -> matchOf[n] = null);
        }
    }

    /** Tells whether an operand of a merged kernel depends on one of its results. */
    private boolean readsItself(Match m) {
        boolean[] wanted = new boolean[matchOf.length];
        m.in().stream().mapToInt(uses::maker).filter(n -> n >= 0).forEach(n -> wanted[n] = true);
        boolean[] seen = new boolean[matchOf.length];
        Deque<Integer> open = new ArrayDeque<>();
        reach(m.out(), m, seen, open);
        while (!open.isEmpty()) {
            int n = open.pop();
            if (wanted[n]) {
                return true;
            }
            reach(matchOf[n] == null ? uses.instr(n).out() : matchOf[n].out(), m, seen, open);
        }
        return false;
    }

    /** Marks the instructions that read these values, each with all that are merged with it. */
    private void reach(List<Value> from, Match except, boolean[] seen, Deque<Integer> open) {
        for (Value v : from) {
            for (int n : uses.readers(v)) {
                Match with = matchOf[n];
                if (with == except || seen[n]) {
                    continue;
                }
                for (int k : with == null ? List.of(n) : List.copyOf(with.instrs())) {
                    if (!seen[k]) {
                        seen[k] = true;
                        open.push(k);
                    }
                }
            }
        }
    }

    /** An instruction alone, or a match. */
    private static final class Node {
        final int first;
        final Instr instr;
        final Match match;
        final List<Node> readers = new ArrayList<>();
        int missing;

        Node(int first, Instr instr, Match match) {
            this.first = first;
            this.instr = instr;
            this.match = match;
        }

        List<Value> in() {
            return match == null ? instr.in() : match.in();
        }

        List<Value> out() {
            return match == null ? instr.out() : match.out();
        }

        Group group(Program p) {
            return new Group(match.instrs().stream().map(p.body()::get).toList(), match.in(), match.wanted(), match.out(),
                    match.sharing(), match.kernel());
        }
    }

    /** Nodes in the program's order, but that each waits for what it reads. */
    private List<Node> order() {
        Node[] makers = new Node[program.values()];
        List<Node> nodes = new ArrayList<>();
        for (int n = 0; n < matchOf.length; n++) {
            if (matchOf[n] == null || matchOf[n].first() == n) {
                Node node = new Node(n, uses.instr(n), matchOf[n]);
                nodes.add(node);
                node.out().forEach(v -> makers[v.id()] = node);
            }
        }
        for (Node node : nodes) {
            node.in().stream().map(v -> makers[v.id()]).filter(m -> m != null).distinct().forEach(m -> {
                m.readers.add(node);
                node.missing++;
            });
        }
        List<Node> order = run(nodes);
        if (order.size() < nodes.size()) {
            throw new IllegalStateException(program + ": merged instructions wait for each other");
        }
        return order;
    }

    private static List<Node> run(List<Node> nodes) {
        PriorityQueue<Node> ready = new PriorityQueue<>((a, b) -> Integer.compare(a.first, b.first));
        nodes.stream().filter(n -> n.missing == 0).forEach(ready::add);
        List<Node> order = new ArrayList<>();
        while (!ready.isEmpty()) {
            Node node = ready.poll();
            order.add(node);
            for (Node r : node.readers) {
                if (--r.missing == 0) {
                    ready.add(r);
                }
            }
        }
        return order;
    }
}
