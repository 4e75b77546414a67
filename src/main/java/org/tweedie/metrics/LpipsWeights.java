// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.tweedie.nn.Conv2d;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.weights.Weights;

/**
 * The network of LPIPS with its weights. Numbers of channels are those of the weights; everything else is the backbone's.
 *
 * @param blocks the convolutions of each block
 * @param linear for each block the weights of its channels
 */
record LpipsWeights(Backbone backbone, List<List<Conv2d>> blocks, List<double[]> linear) {
    /** The constants of the package's scaling layer for pictures in [-1,1], per channel: (x - shift) / scale. */
    private static final Tensor SHIFT = Tensor.of(Shape.of(3), -0.030f, -0.088f, -0.188f);
    private static final Tensor SCALE = Tensor.of(Shape.of(3), 0.458f, 0.448f, 0.450f);

    /**
     * Takes the weights by the keys of torchvision and of the package lpips. Keys {@code classifier.*} are not used.
     *
     * @param files names the files in messages
     * @throws IllegalArgumentException listing all keys that are missing, misshapen or not expected
     */
    static LpipsWeights of(String files, Map<String, Tensor> tensors) {
        Backbone backbone = Backbone.of(files, tensors);
        Weights w = Weights.of("lpips: " + files, "the keys resemble torchvision's " + backbone.network() + "; expected the keys "
                + "features.N.weight and features.N.bias of its state dict, and the keys lin0.model.1.weight to "
                + "lin4.model.1.weight of the package lpips 0.1, in one safetensors file or two", tensors);
        List<List<Conv2d>> blocks = new ArrayList<>();
        List<double[]> linear = new ArrayList<>();
        int in = 3;
        for (Backbone.Block block : backbone.blocks()) {
            List<Conv2d> layers = new ArrayList<>();
            for (Backbone.Layer layer : block.layers()) {
                int out = channels(layer, tensors);
                layers.add(Conv2d.of(w.at(layer.key()), in, out, layer.kernel(), layer.stride(), layer.pad()));
                in = out;
            }
            linear.add(w.take("lin" + blocks.size() + ".model.1.weight", 1, in, 1, 1).doubles());
            blocks.add(layers);
        }
        w.finish(tensors.keySet().stream().filter(k -> k.startsWith("classifier.")).collect(Collectors.toSet()));
        return new LpipsWeights(backbone, blocks, linear);
    }

    /** The number of channels that the weights have, or that the published network has if the weights do not say. */
    private static int channels(Backbone.Layer layer, Map<String, Tensor> tensors) {
        Tensor t = tensors.get(layer.key() + ".weight");
        return t != null && t.shape().rank() == 4 && t.shape().dim(0) > 0 ? t.shape().dim(0) : layer.channels();
    }

    /** Traces the feature maps of a picture [1,H,W,3] in [-1,1]: the outputs "0" to "4", each [1,H',W',C']. */
    Program program(int width, int height) {
        Tracer t = new Tracer(backbone.metric());
        Value x = t.input("picture", Type.real(1, height, width, 3));
        x = t.div(t.sub(x, t.constant("shift", SHIFT)), t.constant("scale", SCALE));
        for (int k = 0; k < blocks.size(); k++) {
            int pool = backbone.blocks().get(k).pool();
            x = pool == 0 ? x : Maximum.pool(t, x, pool);
            for (Conv2d layer : blocks.get(k)) {
                x = Maximum.relu(t, layer.apply(t, x));
            }
            t.output(Integer.toString(k), x);
        }
        return t.finish();
    }
}
