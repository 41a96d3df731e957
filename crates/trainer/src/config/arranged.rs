//! What a configuration takes from the data where it says nothing itself: how features are arranged.

use super::RunConfig;
use crate::layer::View;

impl RunConfig {
    /// The same for data whose features have this view by themselves: their shape, if none is given and a layer goes
    /// over positions.
    pub fn on_data_of(mut self, view: Option<View>) -> RunConfig {
        let needs_positions = self.network.layers.iter().any(|layer| layer.kind.needs_positions());
        if let (Some(View { height, width, channels }), true) = (view, needs_positions) {
            self.data.shape.get_or_insert_with(|| vec![height, width, channels]);
        }
        self
    }
}
