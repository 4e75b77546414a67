// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.tweedie.device.cpu.CpuDevice;
import org.tweedie.device.cuda.CudaDevice;
import org.tweedie.device.cuda.CudaOptions;
import org.tweedie.device.cuda.driver.CudaException;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.device.sim.SimDevice;
import org.tweedie.program.DType;

/** Opens devices by name. It is the only class that knows them all. */
public final class Devices {
    /** The names, the best device first. */
    public static final List<String> NAMES = List.of("cpu", "cuda", "reference", "sim");

    private Devices() {}

    /**
     * Opens a device, which the caller closes.
     *
     * @param o options; the reference device uses one thread, whatever they say
     * @throws IllegalArgumentException when there is no such device, or it cannot be used so
     * @throws Unavailable when it cannot be used on this machine
     */
    public static Device open(String name, DeviceOptions o) {
        return switch (name) {
            case "cpu" -> {
                o.require(name, true);
                yield linked(name, () -> new CpuDevice(o.threads(), o.times(), o.arena(), false));
            }
            case "cuda" -> linked(name, () -> CudaDevice.open(new CudaOptions(o.real() == null ? real(name) : o.real(),
                    o.graphs(), o.card(), o.times(), o.nvtx())));
            case "reference" -> {
                o.require(name, false);
                yield new ReferenceDevice();
            }
            case "sim" -> {
                new DeviceOptions(o.threads(), null, true, 0, o.times(), false).require(name, false);
                yield linked(name, () -> new SimDevice(o.threads(), o.real() == null ? real(name) : o.real()));
            }
            default -> throw new IllegalArgumentException("device '" + name
                    + "' unavailable: this version has no such device; available: "
                    + String.join(", ", available()));
        };
    }

    /**
     * Opens a device that only plans: it takes no memory for weights and arenas, counts what the device of this name would take
     * (see {@link Device#footprint}), and a run gives made-up numbers. The caller closes it.
     *
     * @throws IllegalArgumentException when that device cannot plan
     */
    public static Device rehearsal(String name, DeviceOptions o) {
        if (!name.equals("cpu")) {
            throw new IllegalArgumentException("device '" + name + "': its memory cannot be planned beforehand; expected cpu");
        }
        o.require(name, true);
        return linked(name, () -> new CpuDevice(o.threads(), null, o.arena(), true));
    }

    /** Opens a device with its own choice of everything but threads. */
    public static Device open(String name, int threads) {
        return open(name, DeviceOptions.threads(threads));
    }

    /** The type in which a device stores the values of networks by default. */
    public static DType real(String name) {
        return name.equals("cuda") ? DType.BF16 : DType.F32;
    }

    /** Opens a device that needs a library, a module or a card, which may be missing or too old. */
    private static Device linked(String name, Supplier<Device> device) {
        try {
            return device.get();
        } catch (LinkageError | CudaException | IllegalStateException e) {
            throw new Unavailable(name, reason(e), e);
        }
    }

    /** The message of a failure, or of its cause where a static initialiser hides that. */
    private static String reason(Throwable e) {
        return e instanceof ExceptionInInitializerError && e.getCause() != null ? e.getCause().getMessage() : e.getMessage();
    }

    /** Names of the devices that can be used on this machine. */
    public static List<String> available() {
        List<String> names = new ArrayList<>();
        for (String name : NAMES) {
            if (status(name).usable()) {
                names.add(name);
            }
        }
        return names;
    }

    /** Tells whether a device can be used on this machine, with its description or the reason why it cannot. */
    public record Status(String name, boolean usable, String text) {}

    /** Never throws: a card that is too old or a library of another version is a reason as well. */
    public static Status status(String name) {
        return status(name, () -> open(name, Runtime.getRuntime().availableProcessors()));
    }

    static Status status(String name, Supplier<Device> opening) {
        try (Device d = opening.get()) {
            return new Status(name, true, d.description());
        } catch (RuntimeException e) {
            return new Status(name, false, e instanceof Unavailable u ? u.reason : e.getMessage());
        }
    }

    /** A device that exists but cannot be used on this machine; the message says why. */
    public static final class Unavailable extends IllegalStateException {
        private static final long serialVersionUID = 1;

        private final String reason;

        Unavailable(String name, String reason, Throwable cause) {
            super("device '" + name + "' unavailable: " + reason + " (./tweedie doctor lists what can be used here)", cause);
            this.reason = reason;
        }
    }
}
