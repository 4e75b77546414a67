// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/** The folder of the launcher, from which the demo model comes. */
final class Home {
    private Home() {}

    /** @throws IllegalArgumentException when it is not there */
    static Path demoModel() {
        String home = System.getProperty("tweedie.home");
        if (home == null) {
            throw new IllegalArgumentException("the demo model is found by the launcher only; run ./tweedie, or give --model DIR");
        }
        Path model = Path.of(home, "weights-tools", "demo-model");
        if (!Files.isDirectory(model)) {
            throw new IllegalArgumentException(model + ": expected the demo model there, found nothing; clone the repository again, or give --model DIR");
        }
        return model;
    }
}
