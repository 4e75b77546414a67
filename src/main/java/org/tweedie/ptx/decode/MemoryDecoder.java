// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.decode;

import java.util.List;
import java.util.Set;
import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Slot;
import org.tweedie.ptx.execution.Space;
import org.tweedie.ptx.execution.Warp;
import org.tweedie.ptx.instruction.Access;
import org.tweedie.ptx.instruction.AddressOperand;
import org.tweedie.ptx.launch.KernelFault;
import org.tweedie.ptx.text.Operand;
import org.tweedie.ptx.text.PtxNumbers;
import org.tweedie.ptx.text.Statement;

/** Decodes ld, st and cp.async. */
final class MemoryDecoder {
    /** Hints about caches and ordering; they change no result on this machine. */
    private static final Set<String> HINTS = Set.of("nc", "ca", "cg", "cs", "lu", "cv", "wb", "wt", "volatile", "relaxed", "weak",
            "L1::no_allocate",
            "L1::evict_last", "L1::evict_first", "L2::128B", "L2::256B", "L2::64B", "gpu", "cta", "sys");

    private MemoryDecoder() {}

    static Instruction access(Assembly a, Statement s) {
        a.expectOperands(2, 2);
        boolean store = s.opcode().equals("st");
        Space space = Space.GENERIC;
        int count = 1;
        for (String m : s.mods().subList(0, Math.max(0, s.mods().size() - 1))) {
            switch (m) {
                case "global", "const" -> space = Space.GLOBAL;
                case "shared", "shared::cta" -> space = Space.SHARED;
                case "local" -> space = Space.LOCAL;
                case "param" -> space = Space.PARAM;
                case "v2" -> count = 2;
                case "v4" -> count = 4;
                default -> {
                    if (!HINTS.contains(m)) {
                        throw a.refuse();
                    }
                }
            }
        }
        String type = s.type();
        int bytes = PtxNumbers.bytes(type);
        if (bytes == 0 || bytes * count > 16 || store && space == Space.PARAM) {
            throw a.refuse();
        }
        Operand value = a.operand(store ? 1 : 0);
        List<Operand> parts = value instanceof Operand.Vector v ? v.parts() : List.of(value);
        if (parts.size() != count) {
            throw a.error("expected " + count + " elements, got " + parts.size());
        }
        return new Access(space, store, bytes, type.startsWith("s"), shape(a, a.operand(store ? 0 : 1), parts, store, type));
    }

    private static Access.Shape shape(Assembly a, Operand where, List<Operand> parts, boolean store, String type) {
        int[] registers = new int[parts.size()];
        boolean[] longs = new boolean[parts.size()];
        for (int i = 0; i < registers.length; i++) {
            Slot r = store ? parts.get(i) instanceof Operand.Reg ? a.any(parts.get(i)) : a.source(parts.get(i), type)
                    : a.result(parts.get(i));
            if (r.kind() == 'p' || r.bits() < 8 * PtxNumbers.bytes(type)) {
                throw a.error("a register of type ." + r.type() + " cannot hold ." + type);
            }
            registers[i] = r.at();
            longs[i] = r.kind() == 'l';
        }
        if (!(where instanceof Operand.Address at)) {
            throw a.error("expected an address in brackets, got " + where);
        }
        AddressOperand b = base(a, at);
        return new Access.Shape(b.register(), b.wide(), b.offset(), registers, longs);
    }

    static AddressOperand base(Assembly a, Operand.Address at) {
        return switch (at.base()) {
            case null -> new AddressOperand(-1, false, at.offset());
            case Operand.Symbol v -> new AddressOperand(-1, false, a.address(v.name()) + at.offset());
            case Operand.Reg r -> {
                Slot x = a.any(r);
                if (x.bits() < 32) {
                    throw a.error("an address must be in a register of 32 or 64 bits");
                }
                yield new AddressOperand(x.at(), x.kind() == 'l', at.offset());
            }
            default -> throw a.error("unexpected address " + at);
        };
    }

    static Instruction async(Assembly a, Statement s) {
        List<String> m = s.mods().stream().filter(x -> !x.startsWith("L2::")).toList();
        return switch (String.join(".", m)) {
            case "async.ca.shared.global", "async.cg.shared.global" -> copy(a, m.get(1));
            case "async.commit_group" -> perLane((w, lane) -> w.copies.commit(lane));
            case "async.wait_all" -> perLane((w, lane) -> w.copies.waitForAll(lane));
            case "async.wait_group" -> {
                if (!(a.operand(0) instanceof Operand.Number n)) {
                    throw a.error("expected a number of groups");
                }
                yield perLane((w, lane) -> w.copies.waitFor(lane, (int) n.bits()));
            }
            default -> throw a.refuse();
        };
    }

    private interface Lane {
        public void run(Warp w, int lane);
    }

    private static Instruction perLane(Lane f) {
        return new Instruction() {
            @Override
            public void run(Warp w, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    f.run(w, Integer.numberOfTrailingZeros(m));
                }
            }
        };
    }

    private static Instruction copy(Assembly a, String cache) {
        a.expectOperands(3, 4);
        if (!(a.operand(0) instanceof Operand.Address to) || !(a.operand(1) instanceof Operand.Address from)
                || !(a.operand(2) instanceof Operand.Number n)) {
            throw a.error("expected [shared], [global], bytes");
        }
        int bytes = (int) n.bits();
        if (bytes != 16 && (cache.equals("cg") || bytes != 4 && bytes != 8)) {
            throw a.error("cannot copy " + bytes + " bytes; expected 16" + (cache.equals("cg") ? "" : ", 8 or 4"));
        }
        AddressOperand target = base(a, to);
        AddressOperand origin = base(a, from);
        int given = a.operands() > 3 ? a.sourceWord(3, "u32") : -1;
        return new Instruction() {
            @Override
            public void run(Warp w, int mask) {
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    int size = given < 0 ? bytes : w.words[given + lane];
                    if (size < 0 || size > bytes) {
                        throw w.block.fault(KernelFault.Kind.OUT_OF_BOUNDS, this, w, lane, "copies " + size + " of " + bytes
                                + " bytes");
                    }
                    w.copies.issue(this, lane, target.of(w, lane), origin.of(w, lane), bytes, size);
                }
                if (w.block.traffic != null) {
                    count(w, mask, Space.GLOBAL, origin);
                    count(w, mask, Space.SHARED, target);
                }
            }

            /** Counts the memory traffic of one side of the copy: a load from global memory or a store to shared memory. */
            private void count(Warp w, int mask, Space space, AddressOperand where) {
                w.block.traffic.begin(bytes, space == Space.SHARED);
                for (int m = mask; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    if (space == Space.SHARED || given < 0 || w.words[given + lane] > 0) {
                        w.block.traffic.lane(space, where.of(w, lane));
                    }
                }
                w.block.traffic.end();
            }
        };
    }
}
