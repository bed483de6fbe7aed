/**
 * PreGrad: which hidden neurons matter for this group of inputs. Start at {@link org.pregrad}.
 */
module org.pregrad {
    requires org.bytedeco.javacpp;
    requires org.bytedeco.openblas;
    requires transitive org.bytedeco.pytorch;

    exports org.pregrad;
    exports org.pregrad.data;
}
