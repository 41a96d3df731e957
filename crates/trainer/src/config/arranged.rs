//! What a configuration takes from the data where it says nothing itself: how features are arranged.

use super::RunConfig;
use crate::layer::View;

impl RunConfig {
    /// The same for data whose features have this view by themselves: their shape, if none is given and a layer goes
    /// over positions or pixels are moved.
    pub fn on_data_of(mut self, view: Option<View>) -> RunConfig {
        let layers = &self.network.layers;
        let needs_positions = layers.iter().any(|layer| layer.kind.needs_positions())
            || self.data.augment.changes_pixels();
        if let (Some(View { height, width, channels }), true) = (view, needs_positions) {
            self.data.shape.get_or_insert_with(|| vec![height, width, channels]);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_over_positions_take_the_view_of_the_data() {
        let view = View { height: 4, width: 3, channels: 2 };
        let shape =
            |toml: &str, view| RunConfig::from_toml(toml).unwrap().on_data_of(view).data.shape;
        let conv = "network.layers = [{ kind = 'conv', filters = 2, kernel = 3 }]";
        assert_eq!(shape(conv, Some(view)), Some(vec![4, 3, 2]));
        assert_eq!(shape(conv, None), None);
        assert_eq!(shape("data.augment.flip = true", Some(view)), Some(vec![4, 3, 2]));
        assert_eq!(shape("data.augment.mixup = 0.5", Some(view)), None);
        assert_eq!(shape(&format!("data.shape = [24]\n{conv}"), Some(view)), Some(vec![24]));
        for plain in ["", "network.hidden = [5]", "network.layers = [{ kind = 'batch-norm' }]"] {
            assert_eq!(shape(plain, Some(view)), None, "{plain}");
        }
    }
}
