// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.nio.file.Path;
import java.util.List;

/** What one place offers of a library. */
sealed interface Candidate {
    /** It is not here. */
    record None() implements Candidate {}

    /** It is here and cannot be used. @param why with file or folder, in half a sentence */
    record Refused(String why) implements Candidate {}

    /** @param cuda the major version of CUDA it was built for; 0 when the file does not say */
    record Usable(List<Path> files, String version, int cuda) implements Candidate {}
}
