// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.tweedie.ptx.launch.Memory;

/**
 * The cp.async copies of a warp's threads. A copy is carried out only when its thread waits for it, so a kernel that reads
 * without waiting, which may succeed by luck on a GPU, always fails here.
 */
public final class AsyncCopies {
    /**
     * A copy that has been issued.
     *
     * @param from native address of the source; bytes beyond {@code given} become zero
     */
    private record Copy(Instruction op, long target, long to, long from, int bytes, int given) {}

    private final Warp warp;
    private final List<List<Copy>> open = new ArrayList<>();
    private final List<Deque<List<Copy>>> groups = new ArrayList<>();

    AsyncCopies(Warp warp) {
        this.warp = warp;
        for (int i = 0; i < Instruction.LANES; i++) {
            open.add(new ArrayList<>());
            groups.add(new ArrayDeque<>());
        }
    }

    void clear() {
        open.forEach(List::clear);
        groups.forEach(Deque::clear);
    }

    public void issue(Instruction op, int lane, long target, long source, int bytes, int given) {
        long from = given == 0 ? 0 : warp.block.windows.read(op, warp, lane, source, given, bytes);
        long to = warp.block.shared.pend(op, warp, lane, target, bytes);
        open.get(lane).add(new Copy(op, target, to, from, bytes, given));
    }

    public void commit(int lane) {
        groups.get(lane).addLast(List.copyOf(open.get(lane)));
        open.get(lane).clear();
    }

    /** Completes all groups of a lane except the last n. */
    public void waitFor(int lane, int n) {
        Deque<List<Copy>> queue = groups.get(lane);
        while (queue.size() > n) {
            queue.removeFirst().forEach(c -> complete(lane, c));
        }
    }

    public void waitForAll(int lane) {
        waitFor(lane, 0);
        open.get(lane).forEach(c -> complete(lane, c));
        open.get(lane).clear();
    }

    private void complete(int lane, Copy c) {
        MemorySegment to = Memory.ALL.asSlice(c.to, c.bytes);
        MemorySegment.copy(Memory.ALL, c.from, to, 0, c.given);
        to.asSlice(c.given).fill((byte) 0);
        warp.block.shared.arrive(c.op, warp, lane, c.target, c.bytes);
    }
}
