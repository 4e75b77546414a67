// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class OpeningTest {
    /** This text is part of the key under which choices are stored: if it changed, all choices would be made anew. */
    @Test
    void compilersByVersion() {
        assertEquals("NVRTC 12.6, driver for CUDA 12.8", Opening.compilers(12080, "12.6"));
        assertEquals("NVRTC 13.0, driver for CUDA 13.10", Opening.compilers(13100, "13.0"));
    }
}
