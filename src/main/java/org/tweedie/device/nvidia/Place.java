// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.nio.file.Path;

/** A folder in which NVIDIA's libraries are looked for, and where its name comes from. */
public record Place(Path folder, Origin origin) {
    /** The origins of folders, in the order of search. */
    public enum Origin {
        NAMED("TWEEDIE_CUDA_LIBRARIES"), LIBRARY_PATH("LD_LIBRARY_PATH"), CUDA_HOME("CUDA_HOME or CUDA_PATH"),
                SYSTEM("the system's folders"),
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

    /** Tells whether the user named this folder for us, and therefore wants its content to be used. */
    boolean named() {
        return origin == Origin.NAMED;
    }
}
