// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.fusion;

import java.util.List;
import java.util.Set;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.storage.Storage;
import org.tweedie.device.storage.Uses;
import org.tweedie.program.DType;
import org.tweedie.program.Value;

/** Serves the patterns of a program: it knows which instructions read a value and how values are stored, and makes matches. */
record Matching(Uses uses, Storage storage) {
    DType stored(Value v) {
        return storage.of(v);
    }

    /**
     * Instructions that one kernel does, with its operands and the types in which it reads them; null where a value between is
     * read elsewhere.
     */
    Match match(Set<Integer> instrs, GpuKernel kernel, Value out, List<Value> in, List<DType> wanted) {
        for (int n : instrs) {
            if (!uses.staysWithin(n, instrs) && !List.of(out).containsAll(uses.instr(n).out())) {
                return null;
            }
        }
        return new Match(instrs, in, wanted, List.of(out), kernel);
    }
}
