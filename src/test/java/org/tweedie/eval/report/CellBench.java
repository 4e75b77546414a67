// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.eval.Cell;

/** Makes cells for tests. */
public final class CellBench {
    private static final String NOISE = "gaussian:0.01";

    private CellBench() {}

    /** Makes a cell of seed 1 whose only metric is the PSNR, with counts that follow from the forwards: as many pull-backs. */
    public static Cell cell(String picture, String task, String solver, double psnr, long forwards) {
        return cell(picture, task, solver, 1, Map.of("psnr", psnr), forwards);
    }

    /** Makes a cell; it takes a second for each hundred forwards. */
    public static Cell cell(String picture, String task, String solver, long seed, Map<String, Double> metrics, long forwards) {
        return new Cell(new Cell.Key(picture, task, NOISE, solver, seed), metrics, counts(forwards, forwards, forwards / 2),
                forwards / 100.0);
    }

    /** Returns the counts of a solver. */
    static Map<String, Long> counts(long forwards, long vjps, long decodeVjps) {
        Map<String, Long> counts = new LinkedHashMap<>();
        counts.put("nfe", forwards);
        counts.put("unet_forwards", forwards);
        counts.put("unet_vjps", vjps);
        counts.put("unet_jvps", 0L);
        counts.put("decodes", decodeVjps + 1);
        counts.put("decode_vjps", decodeVjps);
        counts.put("decode_jvps", 0L);
        counts.put("encodes", 1L);
        counts.put("encode_vjps", 0L);
        return counts;
    }

    /** Makes a cell of a row that needs no solver. */
    public static Cell base(String picture, String task, String row, double psnr) {
        return new Cell(new Cell.Key(picture, task, NOISE, row, 1), Map.of("psnr", psnr), Map.of(), 0);
    }
}
