// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.nio.file.Path;
import java.util.List;

/**
 * A library that was found and is not yet loaded.
 *
 * @param files the files to load, in this order; the library itself is the last
 * @param version the version that the file's name or the driver gives; empty when only loading the library would tell
 * @param cuda the major version of CUDA that it was built for; 0 when the file does not say
 * @param passedOver the earlier places whose copy was refused, and why
 */
public record Found(String what, Place place, List<Path> files, String version, int cuda, List<String> passedOver)
        implements Finding {
    public Found {
        files = List.copyOf(files);
        passedOver = List.copyOf(passedOver);
    }

    @Override
    public String text() {
        return (version.isEmpty() ? "" : version + ", ") + files.getLast() + (files.size() > 1 ? " and " + (files.size() - 1)
                + " beside it" : "")
                + " (" + place.origin() + ")" + (passedOver.isEmpty() ? "" : "; passed over: " + String.join("; ", passedOver));
    }
}
