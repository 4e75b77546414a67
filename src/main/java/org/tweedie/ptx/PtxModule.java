// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

import java.util.List;

/** A parsed PTX file. */
public final class PtxModule {
    private PtxModule() {}

    /** @throws PtxException naming file and line where the text is malformed or says what the machine does not know */
    public static PtxModule parse(String file, String text) {
        throw new UnsupportedOperationException("not yet");
    }

    /** @throws PtxException naming the kernels there are */
    public Entry entry(String name) {
        throw new UnsupportedOperationException("not yet");
    }

    public List<String> entries() {
        throw new UnsupportedOperationException("not yet");
    }
}
