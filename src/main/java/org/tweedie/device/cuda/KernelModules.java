// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.device.Closing;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.device.gpu.launch.Launch;

/** Our kernels on a card. The driver compiles each family of kernels when it is first needed. */
final class KernelModules implements AutoCloseable {
    /** A kernel needs permission for more dynamic shared memory than this. */
    private static final int SHARED = 48 << 10;

    private record Key(String module, String entry) {}

    private final Driver driver;
    private final DeviceMemory memory;
    private final int most;
    private final Map<String, Driver.Module> modules = new LinkedHashMap<>();
    private final Map<Key, Driver.Function> functions = new HashMap<>();
    private final Map<Key, Integer> allowed = new HashMap<>();

    /**
     * Makes an empty set.
     *
     * @param memory makes room when the driver has no memory for a module
     * @param most the most bytes of shared memory that a block may have
     */
    KernelModules(Driver driver, DeviceMemory memory, int most) {
        this.driver = driver;
        this.memory = memory;
        this.most = most;
    }

    /** Returns the kernel of a launch, permitted to use the launch's shared memory. */
    synchronized Driver.Function function(Launch l) {
        Key key = new Key(l.module(), l.entry());
        Driver.Function f = functions.computeIfAbsent(key, k -> driver.function(modules.computeIfAbsent(k.module, this::load),
                k.entry));
        if (l.shared() > Math.max(SHARED, allowed.getOrDefault(key, 0))) {
            if (l.shared() > most) {
                throw new IllegalStateException("cuda: kernel " + l.entry() + " needs " + l.shared()
                        + " bytes of shared memory, but a block of this card has "
                        + most + "; use a card of compute capability 8.0 or more");
            }
            driver.allowShared(f, l.shared());
            allowed.put(key, l.shared());
        }
        return f;
    }

    private Driver.Module load(String name) {
        String file = "kernels/" + name + ".ptx";
        try (InputStream in = KernelModules.class.getResourceAsStream("/" + file)) {
            if (in == null) {
                throw new IllegalStateException(file + ": there is no such module");
            }
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return memory.withRoom(() -> driver.load(file, text));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void close() {
        try (Closing closing = new Closing()) {
            modules.values().forEach(m -> closing.add(() -> driver.unload(m)));
            modules.clear();
        }
        functions.clear();
    }
}
