// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.nio.file.Path;
import java.util.List;

/** Says whether one folder has a library and whether that copy can be used. */
sealed interface Candidate {
    /** The folder does not have the library. */
    record None() implements Candidate {}

    /**
     * The folder has the library, but it cannot be used.
     *
     * @param why the reason in half a sentence, with the file or folder
     */
    record Refused(String why) implements Candidate {}

    /**
     * The folder has a copy that can be used.
     *
     * @param cuda the major version of CUDA that it was built for; 0 when the file does not say
     */
    record Usable(List<Path> files, String version, int cuda) implements Candidate {}
}
