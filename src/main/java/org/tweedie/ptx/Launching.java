// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

import java.util.List;

/** All that the blocks of one launch share. {@code races} is null where nobody asks. */
record Launching(Entry kernel, Options options, Size grid, Size block, int shared, byte[] params, List<Window> windows, Memory memory,
        List<Races> races) {}
