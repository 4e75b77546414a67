// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.nio.file.Path;
import java.util.List;

/**
 * The options of an evaluation that say what it measures of each cell in addition to the metrics that need only the pictures.
 *
 * @param spread whether each measurement is restored twice, with other random numbers of the solver, to report the difference
 * @param lpips the safetensors files with the weights of LPIPS; empty if it is not measured
 * @param saved where restored pictures are saved; null if they are not
 */
public record Measures(boolean spread, List<Path> lpips, SavedPictures saved) {
    /** Nothing else is measured. */
    public static final Measures NONE = new Measures(false, List.of(), null);
}
