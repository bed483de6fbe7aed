package org.pregrad.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.pregrad.Layer;

class LayerListTest {
    private static final List<Layer> LAYERS = List.of(
            new Layer("layer1.0.relu", 1, "relu", true, 12, 1, List.of(2L, 12L, 8L, 8L), "layer1.0.bn2"),
            new Layer("act", 0, "tanh", false, -1, -1, List.of(), ""));

    @Test
    void alignsTheTable() throws IOException {
        assertThat(LayerList.text(LAYERS, LayerList.Format.TABLE)).isEqualTo("""
            name           call  op    in_place  neurons  neuron_axis  shape     pre_activation
            layer1.0.relu     1  relu  true           12            1  2x12x8x8  layer1.0.bn2
            act               0  tanh  false
            """);
    }

    @Test
    void leavesUnknownFieldsOfTheCsvEmpty() throws IOException {
        assertThat(LayerList.text(LAYERS, LayerList.Format.CSV)).isEqualTo("""
            name,call,op,in_place,neurons,neuron_axis,shape,pre_activation
            layer1.0.relu,1,relu,true,12,1,2x12x8x8,layer1.0.bn2
            act,0,tanh,false,,,,
            """);
    }

    @Test
    void writesNullForUnknownFieldsOfTheJson() throws IOException {
        JsonNode layers = new ObjectMapper().readTree(LayerList.text(LAYERS, LayerList.Format.JSON));
        assertThat(layers.get(0).get("shape").toString()).isEqualTo("[2,12,8,8]");
        assertThat(layers.get(0).get("in_place").booleanValue()).isTrue();
        assertThat(layers.get(0).get("neuron_axis").longValue()).isEqualTo(1);
        assertThat(layers.get(1).get("neurons").isNull()).isTrue();
        assertThat(layers.get(1).get("pre_activation").isNull()).isTrue();
    }
}
