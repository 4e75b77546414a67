// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/** Finds the demo model in the folder of the launcher. */
final class Home {
    private Home() {}

    /** Returns the folder of the demo model. @throws IllegalArgumentException when it does not exist */
    static Path demoModel() {
        String home = System.getProperty("tweedie.home");
        if (home == null) {
            throw new IllegalArgumentException("the demo model can be found only when Tweedie is started by its launcher; run "
                    + "./tweedie, or give --model DIR");
        }
        Path model = Path.of(home, "weights-tools", "demo-model");
        if (!Files.isDirectory(model)) {
            throw new IllegalArgumentException(model + ": expected the demo model in this folder, found nothing; clone the "
                    + "repository again, or give --model DIR");
        }
        return model;
    }
}
