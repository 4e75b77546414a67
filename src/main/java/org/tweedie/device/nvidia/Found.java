// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.nio.file.Path;
import java.util.List;

/**
 * A library that is there, not yet loaded.
 *
 * @param files what to load, in this order; the library itself is the last
 * @param version as the file's name or the driver says it; empty when it takes loading to know
 * @param cuda the major version of CUDA it was built for; 0 when the file does not say
 * @param passedOver places before this one whose copy was refused, and why
 */
public record Found(String what, Place place, List<Path> files, String version, int cuda, List<String> passedOver) implements Finding {
    public Found {
        files = List.copyOf(files);
        passedOver = List.copyOf(passedOver);
    }

    @Override
    public String text() {
        return (version.isEmpty() ? "" : version + ", ") + files.getLast() + (files.size() > 1 ? " and " + (files.size() - 1) + " beside it" : "")
                + " (" + place.origin() + ")" + (passedOver.isEmpty() ? "" : "; passed over: " + String.join("; ", passedOver));
    }
}
