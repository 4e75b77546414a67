// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import picocli.CommandLine.IVersionProvider;

/** Provides the versions of Tweedie and of Java that are running. */
public final class Version implements IVersionProvider {
    /** Returns Tweedie's version from the jar's manifest, or {@code development} when run from class files. */
    public static String number() {
        String v = Version.class.getPackage().getImplementationVersion();
        return v == null ? "development" : v;
    }

    @Override
    public String[] getVersion() {
        return new String[] {"tweedie " + number() + " (Java " + Runtime.version() + ")"};
    }
}
