// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;

/**
 * The time in seconds of one evaluation of each network, by the names of {@link Nfe}. The time of a VJP or a JVP is what it
 * takes in addition to the forward evaluation.
 */
public record NetworkTimes(double unetForward, double unetVjp, double unetJvp, double decode, double decodeVjp, double decodeJvp,
        double encode, double encodeVjp) {
    private static final int WARM_UP = 2;
    private static final int TIMED = 5;

    /**
     * Times the programs with a batch of one. A time is the median of five runs, which follow two runs that are not timed.
     *
     * @param needed only evaluations with counts above 0 are timed, the other times are 0
     */
    public static NetworkTimes measure(Device device, Workloads w, Nfe needed) throws IOException {
        boolean unets = needed.unetForwards() + needed.unetVjps() + needed.unetJvps() > 0;
        boolean decodes = needed.decodes() + needed.decodeVjps() + needed.decodeJvps() > 0;
        boolean encodes = needed.encodes() + needed.encodeVjps() > 0;
        double unet = time(device, w, "unet", unets);
        double decode = time(device, w, "decode", decodes);
        double encode = time(device, w, "encode", encodes);
        return new NetworkTimes(unet, time(device, w, "unet-vjp", needed.unetVjps() > 0, unet),
                time(device, w, "unet-jvp", needed.unetJvps() > 0, unet), decode,
                time(device, w, "decode-vjp", needed.decodeVjps() > 0, decode),
                time(device, w, "decode-jvp", needed.decodeJvps() > 0, decode), encode,
                time(device, w, "encode-vjp", needed.encodeVjps() > 0, encode));
    }

    private static double time(Device device, Workloads w, String name, boolean needed, double forward) throws IOException {
        return Math.max(0, time(device, w, name, needed) - forward);
    }

    private static double time(Device device, Workloads w, String name, boolean needed) throws IOException {
        if (!needed) {
            return 0;
        }
        Program p = w.program(name, 1);
        Map<String, Tensor> in = w.inputs(p);
        double[] seconds = new double[TIMED];
        try (Executable e = device.compile(p)) {
            for (int i = -WARM_UP; i < TIMED; i++) {
                long start = System.nanoTime();
                e.run(in);
                if (i >= 0) {
                    seconds[i] = (System.nanoTime() - start) / 1e9;
                }
            }
        }
        Arrays.sort(seconds);
        return seconds[TIMED / 2];
    }

    /** Returns the time in seconds of these evaluations, one after the other. */
    public double seconds(Nfe n) {
        return n.unetForwards() * unetForward + n.unetVjps() * unetVjp + n.unetJvps() * unetJvp + n.decodes() * decode
                + n.decodeVjps() * decodeVjp + n.decodeJvps() * decodeJvp + n.encodes() * encode + n.encodeVjps() * encodeVjp;
    }
}
