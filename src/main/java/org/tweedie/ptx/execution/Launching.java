// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.util.List;
import org.tweedie.ptx.launch.Memory;
import org.tweedie.ptx.launch.MachineOptions;
import org.tweedie.ptx.launch.Size;
import org.tweedie.ptx.launch.Window;

/** The values that all blocks of one launch share. {@code races} is null where races are not checked. */
public record Launching(Entry kernel, MachineOptions options, Size grid, Size block, int shared, byte[] params,
        List<Window> windows,
        Memory memory,
        List<Races> races) {}
