// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import java.util.List;

/**
 * A library that cannot be used on this machine.
 *
 * @param expected what was looked for
 * @param got what there is instead, place by place; empty for nothing
 * @param folders how many folders were searched
 * @param remedy what the user can do
 */
public record Missing(String what, String expected, List<String> got, int folders, String remedy) implements Finding {
    public Missing {
        got = List.copyOf(got);
    }

    @Override
    public String text() {
        return "expected " + expected + ", got " + (got.isEmpty() ? "nothing in the " + folders + " folders searched"
                : String.join("; ", got))
                + "; " + remedy;
    }
}
