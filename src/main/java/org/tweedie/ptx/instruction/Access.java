// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.instruction;

import org.tweedie.ptx.execution.Block;
import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Layout;
import org.tweedie.ptx.execution.Space;
import org.tweedie.ptx.execution.Traffic;
import org.tweedie.ptx.execution.Warp;
import org.tweedie.ptx.launch.KernelFault;
import org.tweedie.ptx.launch.Memory;

/** The instructions ld and st: they load or store n elements of a type at an address in a space. */
public final class Access extends Instruction {
    private final Space space;
    private final boolean store;
    private final int bytes; // of one element
    private final boolean signed;
    private final int base; // the first lane of the register that holds the address, or -1
    private final boolean wide; // whether that register has 64 bits
    private final long offset;
    private final int[] registers; // the first lane of each element's register
    private final boolean[] longs;

    /** The address and the elements of an instruction. */
    public record Shape(int base, boolean wide, long offset, int[] registers, boolean[] longs) {}

    public Access(Space space, boolean store, int bytes, boolean signed, Shape s) {
        this.space = space;
        this.store = store;
        this.bytes = bytes;
        this.signed = signed;
        this.base = s.base;
        this.wide = s.wide;
        this.offset = s.offset;
        this.registers = s.registers;
        this.longs = s.longs;
    }

    @Override
    public void run(Warp w, int mask) {
        int n = bytes * registers.length;
        if (space == Space.PARAM) {
            params(w, mask, n);
            return;
        }
        Traffic t = w.block.traffic;
        if (t != null) {
            t.begin(n, store);
        }
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            long address = offset + (base < 0 ? 0 : wide ? w.longs[base + lane] : w.words[base + lane] & 0xFFFFFFFFL);
            Space s = space == Space.GENERIC ? generic(address) : space;
            address = space == Space.GENERIC ? address & Layout.SPACE : address;
            if (t != null) {
                t.lane(s, address);
            }
            long at = resolve(s, w, lane, address, n);
            for (int i = 0; i < registers.length; i++) {
                if (store) {
                    put(w, i, lane, at + (long) i * bytes);
                } else {
                    get(w, i, lane, at + (long) i * bytes);
                }
            }
        }
        if (t != null) {
            t.end();
        }
    }

    private static Space generic(long address) {
        return (address & Layout.SHARED) != 0 ? Space.SHARED : (address & Layout.LOCAL) != 0 ? Space.LOCAL : Space.GLOBAL;
    }

    private long resolve(Space s, Warp w, int lane, long address, int n) {
        Block b = w.block;
        return switch (s) {
            case GLOBAL -> store ? b.windows.write(this, w, lane, address, n) : b.windows.read(this, w, lane, address, n);
            case SHARED -> store ? b.shared.write(this, w, lane, address, n) : b.shared.read(this, w, lane, address, n);
            default -> store ? b.local.write(this, w, lane, address, n) : b.local.read(this, w, lane, address, n);
        };
    }

    private void params(Warp w, int mask, int n) {
        byte[] p = w.block.params;
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            long address = offset + (base < 0 ? 0 : w.longs[base + lane]);
            if (address < 0 || address + n > p.length) {
                throw w.block.fault(KernelFault.Kind.OUT_OF_BOUNDS, this, w, lane, "reads byte " + address + ", +" + n + " of "
                        + p.length + " bytes of parameters");
            }
            for (int i = 0; i < registers.length; i++) {
                long v = 0;
                for (int k = bytes - 1; k >= 0; k--) {
                    v = v << 8 | p[(int) address + i * bytes + k] & 0xFF;
                }
                set(w, i, lane, v);
            }
        }
    }

    private void get(Warp w, int i, int lane, long at) {
        switch (bytes) {
            case 4 -> {
                int v = Memory.ALL.get(Memory.INT, at);
                if (longs[i]) {
                    w.longs[registers[i] + lane] = signed ? v : v & 0xFFFFFFFFL;
                } else {
                    w.words[registers[i] + lane] = v;
                }
            }
            case 2 -> set(w, i, lane, Memory.ALL.get(Memory.SHORT, at) & 0xFFFFL);
            case 8 -> w.longs[registers[i] + lane] = Memory.ALL.get(Memory.LONG, at);
            default -> set(w, i, lane, Memory.ALL.get(Memory.BYTE, at) & 0xFFL);
        }
    }

    /** Fills a register from an element's bits, extended by the sign where the type has one. */
    private void set(Warp w, int i, int lane, long bits) {
        int unused = 64 - 8 * bytes;
        long v = signed ? bits << unused >> unused : bits;
        if (longs[i]) {
            w.longs[registers[i] + lane] = v;
        } else {
            w.words[registers[i] + lane] = bytes == 1 && signed ? (int) v : (int) (bytes == 2 && !signed ? v & 0xFFFF : v);
        }
    }

    private void put(Warp w, int i, int lane, long at) {
        long v = longs[i] ? w.longs[registers[i] + lane] : w.words[registers[i] + lane];
        switch (bytes) {
            case 1 -> Memory.ALL.set(Memory.BYTE, at, (byte) v);
            case 2 -> Memory.ALL.set(Memory.SHORT, at, (short) v);
            case 4 -> Memory.ALL.set(Memory.INT, at, (int) v);
            default -> Memory.ALL.set(Memory.LONG, at, v);
        }
    }
}
