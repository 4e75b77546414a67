// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tweedie.program.Tensor;

/**
 * The two networks whose features LPIPS compares, as torchvision has them: their convolutions, cut into five blocks. A ReLU
 * follows each convolution, and the output of a block is a feature map of LPIPS.
 */
enum Backbone {
    /** AlexNet (Krizhevsky 2014, "One weird trick"). */
    ALEXNET("alexnet", "lpips_alex", 31,
            new Block(0, new Layer(0, 64, 11, 4, 2)),
            new Block(3, new Layer(3, 192, 5, 1, 2)),
            new Block(3, new Layer(6, 384, 3, 1, 1)),
            new Block(0, new Layer(8, 256, 3, 1, 1)),
            new Block(0, new Layer(10, 256, 3, 1, 1))),

    /** VGG with 16 layers of weights, 13 of them convolutions (Simonyan, Zisserman 2015), without batch norm. */
    VGG16("vgg16", "lpips_vgg", 16,
            new Block(0, same(0, 64), same(2, 64)),
            new Block(2, same(5, 128), same(7, 128)),
            new Block(2, same(10, 256), same(12, 256), same(14, 256)),
            new Block(2, same(17, 512), same(19, 512), same(21, 512)),
            new Block(2, same(24, 512), same(26, 512), same(28, 512)));

    private static final Pattern KEY = Pattern.compile("features\\.(\\d{1,4})\\.weight");

    /**
     * A convolution with a ReLU.
     *
     * @param index its place in torchvision's {@code features}
     * @param channels how many channels the published network has here
     */
    record Layer(int index, int channels, int kernel, int stride, int pad) {
        /** The beginning of its keys. */
        String key() {
            return "features." + index;
        }
    }

    /**
     * Convolutions one after the other.
     *
     * @param pool the side of the windows of the max pooling before them, 0 where there is none
     */
    record Block(int pool, List<Layer> layers) {
        Block(int pool, Layer... layers) {
            this(pool, List.of(layers));
        }
    }

    private final String network;
    private final String metric;
    private final int smallestSide;
    private final List<Block> blocks;

    Backbone(String network, String metric, int smallestSide, Block... blocks) {
        this.network = network;
        this.metric = metric;
        this.smallestSide = smallestSide;
        this.blocks = List.of(blocks);
    }

    private static Layer same(int index, int channels) {
        return new Layer(index, channels, 3, 1, 1);
    }

    /** The network's name. */
    String network() {
        return network;
    }

    /** The name of LPIPS with this network. */
    String metric() {
        return metric;
    }

    /** The smallest side in pixels for which every feature map has a pixel. */
    int smallestSide() {
        return smallestSide;
    }

    List<Block> blocks() {
        return blocks;
    }

    /**
     * Returns the network to which the keys {@code features.N.weight} belong, or the one that they resemble more; loading it
     * then reports what is missing.
     *
     * @param files names the files in messages
     * @throws IllegalArgumentException when there is no such key
     */
    static Backbone of(String files, Map<String, Tensor> tensors) {
        Set<Integer> found = new TreeSet<>();
        for (String key : tensors.keySet()) {
            Matcher m = KEY.matcher(key);
            if (m.matches()) {
                found.add(Integer.valueOf(m.group(1)));
            }
        }
        if (found.isEmpty()) {
            throw new IllegalArgumentException("lpips: " + files + ": expected the keys features.N.weight of torchvision's "
                    + "AlexNet or VGG16, got none among " + tensors.size() + " keys; add the file with the network's state dict");
        }
        return Arrays.stream(values()).min(Comparator.comparingInt(b -> b.differences(found))).orElseThrow();
    }

    private int differences(Set<Integer> found) {
        Set<Integer> all = new HashSet<>(found);
        int common = 0;
        for (Block block : blocks) {
            for (Layer layer : block.layers()) {
                common += all.add(layer.index()) ? 0 : 1;
            }
        }
        return all.size() - common;
    }
}
