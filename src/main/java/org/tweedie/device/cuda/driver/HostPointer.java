// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;

/** Native host memory as JCuda's calls take and return it. */
final class HostPointer extends Pointer {
    /** Makes a pointer that a call fills in. */
    HostPointer() {}

    HostPointer(MemorySegment memory) {
        super(memory.address());
        if (!memory.isNative()) {
            throw new IllegalArgumentException("cuda: expected native memory, got a Java array");
        }
    }

    MemorySegment segment(long bytes) {
        return MemorySegment.ofAddress(getNativePointer()).reinterpret(bytes);
    }
}
