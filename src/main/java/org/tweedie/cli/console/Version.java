// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import picocli.CommandLine.IVersionProvider;

/** What runs here: a version of Tweedie on a version of Java. */
public final class Version implements IVersionProvider {
    /** From the jar's manifest; {@code development} when run from class files. */
    public static String number() {
        String v = Version.class.getPackage().getImplementationVersion();
        return v == null ? "development" : v;
    }

    @Override
    public String[] getVersion() {
        return new String[] {"tweedie " + number() + " (Java " + Runtime.version() + ")"};
    }
}
