// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.invoke.MethodHandle;

/**
 * Maps memory whose address and size are multiples of {@link #HUGE}, and asks the system for pages of that size. Gigabytes of
 * weights then cost thousands of page faults instead of a million. A system without such pages gives its usual ones.
 */
final class Pages {
    /** The bytes of a huge page of x86-64. */
    static final long HUGE = 1L << 21;

    private static final int READ_WRITE = 3; // PROT_READ | PROT_WRITE
    private static final int PRIVATE_ANONYMOUS = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS
    private static final int HUGE_PAGES = 14; // MADV_HUGEPAGE

    // (address, bytes, protection, flags, file, offset) -> address, or -1
    private static final MethodHandle MMAP = libc("mmap", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT,
            JAVA_LONG);
    private static final MethodHandle MUNMAP = libc("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG); // (address, bytes) -> 0 or -1
    // (address, bytes, advice) -> 0 or -1
    private static final MethodHandle MADVISE = libc("madvise", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);

    private Pages() {}

    private static MethodHandle libc(String name, MemoryLayout result, MemoryLayout... arguments) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
    }

    static long roundUp(long bytes) {
        return (bytes + HUGE - 1) & -HUGE;
    }

    /**
     * Maps memory, which is zero.
     *
     * @param bytes a multiple of {@link #HUGE}
     * @return its address, or 0 where the system has no memory left
     */
    static long map(long bytes) {
        try {
            // a mapping begins at any small page, so one more huge page is mapped and what lies outside is given back
            long all = (long) MMAP.invokeExact(0L, bytes + HUGE, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
            if (all == -1) {
                return 0;
            }
            long address = roundUp(all);
            unmap(all, address - all);
            unmap(address + bytes, all + HUGE - address);
            int ignored = (int) MADVISE.invokeExact(address, bytes, HUGE_PAGES); // where it fails, pages are small
            return address;
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /** Gives back mapped memory, or a part of it. */
    static void unmap(long address, long bytes) {
        try {
            if (bytes > 0 && (int) MUNMAP.invokeExact(address, bytes) != 0) {
                throw new IllegalStateException("munmap of " + bytes + " bytes failed");
            }
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }
}
