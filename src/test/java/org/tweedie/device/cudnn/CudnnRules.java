// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.util.HashMap;
import java.util.Map;

/**
 * The rules of cuDNN's documentation (cudnn_graph_v9.h of 9.24, "Supported attributes" of each descriptor) for the descriptors
 * that we use. They are written down once more, in its numbers, so that no number of the product is checked against itself.
 */
final class CudnnRules {
    /**
     * An attribute.
     *
     * @param ref the kind of the descriptors that it takes; -1 stands for none, -2 for any operation
     */
    record Rule(int type, int least, int most, int ref, boolean required) {}

    /**
     * Each kind has a line, followed by one for each attribute: its number, its type, the least and the most elements, the kind
     * of descriptor, and whether it is required.
     */
    private static final String TABLE = """
            kind 0 pointwise
            0 14 1 1 -1 required
            1 1 1 1 -1 required
            8 4 1 1 -1 optional
            kind 1 convolution
            100 1 1 1 -1 required
            101 7 1 1 -1 required
            106 3 1 1 -1 required
            102 3 1 8 -1 required
            103 3 1 8 -1 required
            104 3 1 8 -1 required
            105 3 1 8 -1 required
            kind 2 engine
            1300 15 1 1 15 required
            1301 3 1 1 -1 required
            1307 15 1 1 38 optional
            kind 3 engine configuration
            300 15 1 1 2 required
            302 15 0 64 7 optional
            kind 4 heuristics
            201 15 1 1 15 required
            200 8 1 1 -1 required
            204 15 1 1 38 optional
            kind 5 execution plan
            400 0 1 1 -1 optional
            401 15 1 1 3 required
            407 15 1 1 38 optional
            kind 7 knob choice
            600 9 1 1 -1 required
            601 3 1 1 -1 required
            kind 10 convolution forward
            700 4 1 1 -1 required
            701 4 1 1 -1 required
            702 15 1 1 1 required
            703 15 1 1 17 required
            704 15 1 1 17 required
            705 15 1 1 17 required
            kind 12 convolution backward data
            706 4 1 1 -1 required
            707 4 1 1 -1 required
            708 15 1 1 1 required
            709 15 1 1 17 required
            710 15 1 1 17 required
            711 15 1 1 17 required
            kind 13 pointwise operation
            750 15 1 1 0 required
            751 15 1 1 17 required
            752 15 1 1 17 optional
            753 15 1 1 17 required
            kind 15 operation graph
            800 0 1 1 -1 optional
            801 15 1 64 -2 required
            kind 16 variant pack
            1000 3 1 64 -1 required
            1001 6 1 64 -1 required
            1003 6 1 1 -1 required
            kind 17 tensor
            906 3 1 1 -1 required
            901 1 1 1 -1 required
            900 3 1 1 -1 required
            902 3 1 8 -1 required
            903 3 1 8 -1 required
            907 2 1 1 -1 optional
            908 2 1 1 -1 optional
            kind 18 matmul
            1500 1 1 1 -1 required
            kind 19 matmul operation
            1520 15 1 1 17 required
            1521 15 1 1 17 required
            1522 15 1 1 17 required
            1523 15 1 1 18 required
            kind 21 reduction
            1600 18 1 1 -1 required
            1601 1 1 1 -1 required
            kind 22 reduction operation
            1610 15 1 1 17 required
            1611 15 1 1 17 required
            1612 15 1 1 21 required
            kind 31 reshape operation
            2200 15 1 1 17 required
            2201 15 1 1 17 required
            kind 38 device properties
            2702 24 1 100000 -1 required
            """;

    static final Map<Integer, Map<Integer, Rule>> OF_KIND = parse();

    private CudnnRules() {}

    /** Returns the bytes of one element of a type in C. */
    static int bytes(int type) {
        return switch (type) {
            case 2, 24 -> 1; // bool, char
            case 0, 3, 6, 15 -> 8; // handle, int64_t, void*, descriptor
            default -> 4; // enumerations, float
        };
    }

    private static Map<Integer, Map<Integer, Rule>> parse() {
        Map<Integer, Map<Integer, Rule>> all = new HashMap<>();
        Map<Integer, Rule> kind = null;
        for (String line : TABLE.lines().toList()) {
            String[] w = line.split(" ");
            if (w[0].equals("kind")) {
                kind = new HashMap<>();
                all.put(Integer.parseInt(w[1]), kind);
            } else {
                kind.put(Integer.parseInt(w[0]), new Rule(Integer.parseInt(w[1]), Integer.parseInt(w[2]), Integer.parseInt(w[3]),
                        Integer.parseInt(w[4]),
                        w[5].equals("required")));
            }
        }
        return all;
    }
}
