// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.nio.file.Path;

/** A folder in which NVIDIA's libraries are looked for, and who named it. */
public record Place(Path folder, Origin origin) {
    /** In the order of search. */
    public enum Origin {
        NAMED("TWEEDIE_CUDA_LIBRARIES"), LIBRARY_PATH("LD_LIBRARY_PATH"), CUDA_HOME("CUDA_HOME or CUDA_PATH"), SYSTEM("the system's folders"),
        CACHE("doctor --fetch-cuda");

        private final String text;

        Origin(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** The user named this folder for us, so what is in it is meant. */
    boolean named() {
        return origin == Origin.NAMED;
    }
}
