// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

/** Says why a cell could not be made. */
public final class CellFailure extends Exception {
    private static final long serialVersionUID = 1;
    private static final String FAILED = "failed";

    /** @param message one line */
    CellFailure(String message, Throwable cause) {
        super(message, cause);
    }

    /** Returns the failure as one line of JSON, which a worker writes in place of a cell. */
    String line() {
        JsonObject line = new JsonObject();
        line.addProperty(FAILED, getMessage());
        return line.toString();
    }

    /** Returns true for a line that {@link #line} wrote. */
    static boolean is(String line) {
        return line.startsWith("{\"" + FAILED + "\":");
    }

    /** Reads a line that {@link #line} wrote. */
    static CellFailure of(String line) {
        return new CellFailure(JsonParser.parseString(line).getAsJsonObject().get(FAILED).getAsString(), null);
    }
}
