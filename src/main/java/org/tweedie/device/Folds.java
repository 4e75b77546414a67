// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.transform.Fold;
import org.tweedie.transform.FoldKey;

/**
 * Computes what programs make from constants alone once, before they are compiled, and remembers the results of each device: a
 * later program that makes the same values from the same constants runs nothing. One thread uses it, and no longer than the
 * memory of the constants is mapped.
 */
public final class Folds {
    private final Map<Device, Map<FoldKey, Tensor>> results = new IdentityHashMap<>();
    private int runs;

    /**
     * The program with such values as constants, computed on the device unless they are known; the same object where it has none.
     */
    public Program apply(Device device, Program program) {
        Fold fold = Fold.of(program);
        Map<FoldKey, Tensor> known = results.computeIfAbsent(device, d -> new HashMap<>());
        List<FoldKey> missing = fold.missing(known.keySet());
        if (!missing.isEmpty()) {
            try (Executable e = device.compile(fold.constantPart(known.keySet()))) {
                Map<String, Tensor> out = e.run(Map.of());
                for (int i = 0; i < missing.size(); i++) {
                    known.put(missing.get(i), out.get("folded" + i));
                }
            }
            runs++;
        }
        return fold.finished(known);
    }

    /** The number of constant programs that were run. */
    public int runs() {
        return runs;
    }
}
