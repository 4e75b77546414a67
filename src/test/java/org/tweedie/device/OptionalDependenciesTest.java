// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tweedie.device.nvidia.JcudaNatives;

/** The devices where what is optional is not on the class path, as in a program that uses Tweedie and added none of it. */
class OptionalDependenciesTest {
    private static final List<String> OPTIONAL = List.of("jcuda", "jcublas", "picocli", "progressbar", "jline");

    /** @param without starts of the names of jars that are left out */
    private static String text(String device, List<String> without) throws Exception {
        List<URL> path = new ArrayList<>();
        List<String> left = new ArrayList<>();
        for (String each : System.getProperty("java.class.path").split(File.pathSeparator)) {
            String name = Path.of(each).getFileName().toString();
            if (without.stream().anyMatch(name::startsWith)) {
                left.add(name);
            } else {
                path.add(Path.of(each).toUri().toURL());
            }
        }
        assertTrue(left.size() >= without.size(), "left out " + left + ", expected a jar or more for each of " + without);
        try (URLClassLoader loader = new URLClassLoader(path.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Object status = loader.loadClass(Devices.class.getName()).getMethod("status", String.class).invoke(null, device);
            return (String) status.getClass().getMethod("text").invoke(status);
        }
    }

    @Test
    void cudaWithoutJcudaSaysWhatToAdd() throws Exception {
        assertEquals("JCuda is not on the class path (jcuda/runtime/JCuda.class is missing);"
                + " add org.jcuda:jcuda:12.6.0 and org.jcuda:jcublas:12.6.0, and with classifier linux-x86_64"
                + " org.jcuda:jcuda-natives:12.6.0 and org.jcuda:jcublas-natives:12.6.0",
                text("cuda", OPTIONAL));
    }

    @Test
    void cudaWithoutJcudasNativesSaysWhatToAdd() throws Exception {
        String text = text("cuda", List.of("jcublas-natives"));
        assertTrue(text.startsWith("JCuda is not on the class path (lib/libJCublas2-12.6.0-linux-x86_64.so is missing); add "),
                text);
    }

    @Test
    void whatIsThereIsNotAskedFor() {
        assertDoesNotThrow(JcudaNatives::require);
    }

    /** The coordinates in the message are those of this build. */
    @Test
    void theVersionIsThePoms() throws Exception {
        List<String> jars = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(p -> Path.of(p).getFileName().toString()).toList();
        for (String jar : List.of("jcuda-12.6.0.jar", "jcublas-12.6.0.jar", "jcuda-natives-12.6.0-linux-x86_64.jar",
                "jcublas-natives-12.6.0-linux-x86_64.jar")) {
            assertTrue(jars.contains(jar), jar + ": not among " + jars);
        }
    }

    @Test
    void theReferenceNeedsNoneOfIt() throws Exception {
        assertEquals(Devices.status("reference").text(), text("reference", OPTIONAL));
    }
}
