// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

/** One kernel of a module. */
public final class Entry {
    private final String name;

    Entry(String name) {
        this.name = name;
    }

    public String name() {
        return name;
    }
}
