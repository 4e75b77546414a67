// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.List;
import org.tweedie.eval.Cell;

/** The costs that quality is plotted against. */
enum Axis {
    /** All work of the UNet. */
    UNET("unet", "UNet forwards + VJPs + JVPs per restoration"),
    /** Pull-backs through the decoder. */
    PULL_BACKS("decoder", "decoder VJPs per restoration"),
    /** Time. */
    SECONDS("seconds", "seconds per restoration, without compilation");

    private final String word;
    private final String label;

    Axis(String word, String label) {
        this.word = word;
        this.label = label;
    }

    /** The word for the name of a file. */
    String word() {
        return word;
    }

    /** The label with the unit. */
    String label() {
        return label;
    }

    /** Returns what a cell cost. */
    double of(Cell cell) {
        return switch (this) {
            case UNET -> Costs.sum(cell, List.of("unet_forwards", "unet_vjps", "unet_jvps"));
            case PULL_BACKS -> Costs.sum(cell, List.of("decode_vjps"));
            case SECONDS -> cell.seconds();
        };
    }
}
