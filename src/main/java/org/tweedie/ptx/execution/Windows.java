// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.util.List;
import org.tweedie.ptx.launch.KernelFault;
import org.tweedie.ptx.launch.Memory;
import org.tweedie.ptx.launch.Window;

/**
 * The global memory that one launch may reach: its windows, in the order of the arguments. Two windows may share bytes where a
 * kernel runs in place.
 */
public final class Windows {
    private final Window[] windows;
    private final Memory.Region[] regions;
    private final List<Races> races;

    /**
     * Keeps the windows of a launch.
     *
     * @param races one log per window, or null where races are not checked
     */
    Windows(List<Window> windows, Memory memory, List<Races> races) {
        this.windows = windows.toArray(Window[]::new);
        this.regions = windows.stream().map(w -> memory.region(w.address(), w.bytes())).toArray(Memory.Region[]::new);
        this.races = races;
    }

    public long read(Instruction op, Warp w, int lane, long address, int n) {
        return read(op, w, lane, address, n, n);
    }

    /**
     * Checks a read and returns the native address that the lane reads from.
     *
     * @param align the number that the address must be a multiple of
     */
    public long read(Instruction op, Warp w, int lane, long address, int n, int align) {
        int i = find(op, w, lane, address, n, align, false);
        if (w.block.options.uninitialised()) {
            byte[] written = regions[i].written();
            int at = (int) (address - regions[i].address());
            for (int k = at; k < at + n; k++) {
                if (written[k] == 0) {
                    throw w.block.fault(KernelFault.Kind.UNINITIALISED, op, w, lane, "reads " + name(i, address)
                            + " that nothing has written");
                }
            }
        }
        if (races != null) {
            races.get(i).read(at -> name(i, windows[i].address() + at), op, w, lane, (int) (address - windows[i].address()), n);
        }
        return address;
    }

    public long write(Instruction op, Warp w, int lane, long address, int n) {
        int i = find(op, w, lane, address, n, n, true);
        byte[] written = regions[i].written();
        int at = (int) (address - regions[i].address());
        for (int k = at; k < at + n; k++) {
            written[k] = 1;
        }
        if (races != null) {
            races.get(i).write(b -> name(i, windows[i].address() + b), op, w, lane, (int) (address - windows[i].address()), n);
        }
        return address;
    }

    private String name(int i, long address) {
        return "'" + windows[i].name() + "' at byte " + (address - windows[i].address());
    }

    private int find(Instruction op, Warp w, int lane, long address, int n, int align, boolean write) {
        int readOnly = -1;
        for (int i = 0; i < windows.length; i++) {
            Window x = windows[i];
            if (address >= x.address() && address + n <= x.address() + x.bytes()) {
                if (write && x.writes() || !write && (x.reads() || x.writes())) {
                    if (address % align != 0) {
                        throw w.block.fault(KernelFault.Kind.MISALIGNED, op, w, lane, "reaches " + name(i, address) + " with "
                                + align + " bytes at once");
                    }
                    return i;
                }
                readOnly = i;
            }
        }
        if (readOnly >= 0) {
            throw w.block.fault(KernelFault.Kind.READ_ONLY, op, w, lane, "writes " + name(readOnly, address) + ", an input");
        }
        throw w.block.fault(KernelFault.Kind.OUT_OF_BOUNDS, op, w, lane, outside(address, n, write));
    }

    private String outside(long address, int n, boolean write) {
        String how = write ? "writes " : "reads ";
        Window near = null;
        long distance = 1 << 16;
        for (Window x : windows) {
            long d = address < x.address() ? x.address() - address : address - x.address() - x.bytes() + n;
            if (d < distance) {
                distance = d;
                near = x;
            }
        }
        return near == null ? how + "address 0x" + Long.toHexString(address) + ", in no buffer of this launch"
                : how + "byte " + (address - near.address()) + ", +" + n + " of '" + near.name() + "', which has " + near.bytes()
                + " bytes";
    }
}
